// Entry of the page /roulette: builds the store, opens the session, and paints the page whenever the state changes.
import "../shared/styles/all.css";
import "./styles/meeting.css";
import "./styles/call.css";
import { formerGuest } from "../shared/identity";
import { load, save } from "../shared/memory";
import { paint } from "../shared/paint";
import { createStore } from "../shared/store";
import { openWire } from "../shared/wire";
import type { Roulette, RouletteEvents, RouletteRequests } from "./contract";
import { reduce } from "./reducer";
import { openRouletteSession } from "./session";
import { NO_CALL, NO_DEVICES } from "./state";
import { RoulettePage } from "./views/page";
import { WISHES } from "./wishes";
import { tabTitle } from "./words";

const store = createStore(reduce, { visit: load<Roulette>(WISHES), devices: NO_DEVICES, call: NO_CALL });
store.subscribe(({ visit }) => save(visit, WISHES));
const wire = openWire<Roulette, RouletteRequests, RouletteEvents>("/roulette", await formerGuest());
const session = openRouletteSession(wire, store);
paint(store, {
  root: document.getElementById("page")!,
  view: (state) => <RoulettePage state={state} session={session} />,
  visitOf: ({ visit }) => visit,
  title: tabTitle,
});
