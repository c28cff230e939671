"""Checks of the fixture server with the python-socketio clients, the synchronous and the asyncio one.

Usage: checks.py sync|asyncio polling|websocket|upgrade URL. Prints one line per check, `ok NAME` or `not ok NAME: WHY`,
and exits with 1 when one failed. Both clients run the same checks: the checks are coroutines, and the synchronous
client's calls, which block, are wrapped so that they may be awaited.
"""

import asyncio
import os
import sys

import socketio

WAIT_MAX = 8
TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": ["polling", "websocket"]}
NAMESPACES = {"/": {"who": "me"}, "/custom": {"who": "me"}, "/dyn-1": {"who": "me"}, "/admin": {"token": "secret"}}
ARGUMENTS = [1, -2.5, "zwei ü 😀", True, None, [3, [4]], {"five": {"six": []}}]
NESTED = [b"\x00\x01\xff", {"a": [b"", {"b": b"deep"}], "n": 1}, "between"]


async def within(awaitable, what):
    """The result of an awaitable, or an error that names what did not come in time."""
    try:
        return await asyncio.wait_for(awaitable, WAIT_MAX)
    except asyncio.TimeoutError:
        raise AssertionError(f"{what} did not come within {WAIT_MAX} s") from None


class Client:
    """One connection to one namespace, with the events that it received, in order."""

    def __init__(self, kind, transport, url, nsp="/"):
        self.kind, self.transport, self.url, self.nsp = kind, transport, url, nsp
        self.room = f"python-{os.getpid()}"
        self.sio = (socketio.Client if kind == "sync" else socketio.AsyncClient)(reconnection=False)
        self.loop = asyncio.get_running_loop()
        self.events = asyncio.Queue()
        self.answer = lambda *args: None
        if kind == "sync":
            self.sio.on("*", self._on_event, namespace=nsp)
            self.sio.on("question", lambda *args: self.answer(*args), namespace=nsp)
        else:
            self.sio.on("*", self._on_event_async, namespace=nsp)
            self.sio.on("question", self._answer_async, namespace=nsp)
        self.sio.on("disconnect", self._on_disconnect, namespace=nsp)

    def _put(self, item):
        self.loop.call_soon_threadsafe(self.events.put_nowait, item)

    def _on_event(self, event, *args):
        self._put((event, list(args)))

    async def _on_event_async(self, event, *args):
        self._put((event, list(args)))

    async def _answer_async(self, *args):
        return self.answer(*args)

    def _on_disconnect(self, reason=None):
        self._put(("disconnect", [reason]))

    async def call(self, method, *args, **options):
        """Calls a method of the client; a blocking one runs on a thread."""
        function = getattr(self.sio, method)
        if self.kind == "sync":
            return await within(asyncio.to_thread(function, *args, **options), f"{method} {args}")
        return await within(function(*args, **options), f"{method} {args}")

    async def connect(self, auth=None):
        transports = TRANSPORTS[self.transport]
        await self.call("connect", self.url, auth=auth, transports=transports, namespaces=[self.nsp])
        assert await self.next("auth") == [auth or {}]
        return self

    async def close(self):
        await self.call("disconnect")

    async def next(self, event):
        """The arguments of the next event, which must have this name."""
        name, args = await within(self.events.get(), event)
        assert name == event, f"{name} came instead of {event}"
        return args

    async def emit(self, event, *args):
        await self.call("emit", event, tuple(args), namespace=self.nsp)

    async def ask(self, event, *args):
        return await self.call("call", event, tuple(args), namespace=self.nsp, timeout=WAIT_MAX)


async def message_and_ack(client):
    await client.emit("message", *ARGUMENTS)
    assert await client.next("message-back") == ARGUMENTS
    assert list(await client.ask("message-with-ack", *ARGUMENTS)) == ARGUMENTS
    assert await client.ask("message-with-ack", "one") == "one"


async def binary(client):
    await client.emit("message", *NESTED)
    assert await client.next("message-back") == NESTED
    assert list(await client.ask("message-with-ack", *NESTED)) == NESTED


async def whoami(client):
    who = await client.ask("whoami")
    assert who["id"] == client.sio.get_sid(client.nsp), who
    assert who["nsp"] == client.nsp
    assert who["rooms"] == [who["id"]]
    assert who["transport"] == ("polling" if client.transport == "polling" else "websocket"), who["transport"]
    assert who["query"]["EIO"] == "4"
    assert who["header"] is None


async def questions(client):
    client.answer = lambda arg: {"asked": arg}
    await client.emit("ask-me", b"why")
    assert await client.next("answer") == [{"asked": b"why"}]
    await client.emit("ask-me-timeout", 5000, "how")
    assert await client.next("answer") == [False, {"asked": "how"}]


async def order(client):
    # The client refuses more than 16 packets in one polling answer, so there it sends in small lots.
    lot = 10 if client.transport == "polling" else 500
    for first in range(0, 500, lot):
        for number in range(first, first + lot):
            await client.emit("message", number)
        numbers = [(await client.next("message-back"))[0] for _ in range(lot)]
        # The synchronous client hands every event to a thread of its own, so it may turn them around itself.
        assert (sorted(numbers) if client.kind == "sync" else numbers) == list(range(first, first + lot)), numbers


async def rooms(client):
    assert await client.ask("join", client.room) == "joined"
    await client.emit("in-room", client.room, "said", "to all", b"\x01")
    assert await client.next("said") == ["to all", b"\x01"]
    assert await client.ask("fetch-sockets", client.room) == [client.sio.get_sid(client.nsp)]
    assert await client.ask("leave", client.room) == "left"
    assert await client.ask("fetch-sockets", client.room) == []


async def large(client):
    text = "ü" * 150_000  # six bytes each, as this client writes it
    assert await client.ask("message-with-ack", text) == text


async def kicked(client):
    await client.emit("kick", False)
    assert (await client.next("disconnect"))[0] in ("server disconnect", "client disconnect")


async def refused(kind, transport, url):
    client = Client(kind, transport, url, "/admin")
    refusals = []
    client.sio.on("connect_error", refusals.append, namespace="/admin")
    try:
        await client.connect({"token": "wrong"})
    except socketio.exceptions.ConnectionError:
        pass
    else:
        raise AssertionError("the wrong token was taken")
    finally:
        await client.close()
    assert refusals == [{"message": "not authorized", "data": {"code": "E_AUTH"}}], refusals


async def several_namespaces(kind, transport, url):
    client = Client(kind, transport, url)
    names = ["/", "/custom", "/dyn-7"]
    await client.call("connect", url, transports=TRANSPORTS[transport], namespaces=names)
    sids = set()
    for name in names:
        who = await client.call("call", "whoami", namespace=name, timeout=WAIT_MAX)
        assert who["nsp"] == name
        sids.add(who["id"])
    assert len(sids) == len(names)
    await client.close()


async def main(kind, transport, url):
    failed = False

    async def check(name, run):
        nonlocal failed
        try:
            await run()
            print(f"ok {name}", flush=True)
        except Exception as error:  # every failure is a line of the report
            failed = True
            print(f"not ok {name}: {type(error).__name__} {error}", flush=True)

    def with_client(body, nsp, auth):
        async def run():
            client = await Client(kind, transport, url, nsp).connect(auth)
            try:
                await body(client)
            finally:
                await client.close()

        return run

    for nsp, auth in NAMESPACES.items():
        bodies = [message_and_ack, binary, whoami, questions, order, rooms, large]
        # The synchronous client's threads race for its own tables when the server ends its only namespace.
        if kind == "asyncio":
            bodies.append(kicked)
        for body in bodies:
            await check(f"{body.__name__.replace('_', ' ')} on {nsp}", with_client(body, nsp, auth))
    await check("refused on /admin", lambda: refused(kind, transport, url))
    await check("several namespaces", lambda: several_namespaces(kind, transport, url))
    return failed


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:4])))
