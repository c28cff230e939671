//! A server for the driver's tests: a thread per connection, just enough of the protocol, and ways to misbehave.

use std::{
    collections::HashMap,
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What the server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// The handlers `echo`, `bcast`, `join` and `in-room`.
    Contract,
    /// The same, one byte per write.
    Trickles,
    /// The same, with a new ping for every pong.
    Pings,
    NeverAcknowledges,
    HangsUp,
    RefusesTheNamespace,
    NotFound,
    NotHttp,
    NeverAnswers,
}

type Rooms = Arc<Mutex<HashMap<String, Vec<TcpStream>>>>;

/// Starts a server on a free port; it ends with the process.
pub(crate) fn serve(behaviour: Behaviour) -> SocketAddr {
    let [address] = serve_as_nodes(behaviour);
    address
}

/// Starts a server on several free ports: nodes that share their rooms.
pub(crate) fn serve_as_nodes<const NODES: usize>(behaviour: Behaviour) -> [SocketAddr; NODES] {
    let rooms = Rooms::default();
    std::array::from_fn(|_| {
        let (listener, rooms) = (TcpListener::bind(("127.0.0.1", 0)).unwrap(), rooms.clone());
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for (count, stream) in listener.incoming().enumerate() {
                let (stream, rooms) = (stream.unwrap(), rooms.clone());
                let id = format!("{}-{count}", address.port());
                // The driver ends connections by reset, which is an error here and no news.
                thread::spawn(move || Client { stream, rooms, id, behaviour }.run().ok());
            }
        });
        address
    })
}

struct Client {
    stream: TcpStream,
    rooms: Rooms,
    id: String,
    behaviour: Behaviour,
}

impl Client {
    fn run(mut self) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte)?;
            request.push(byte[0]);
        }
        match self.behaviour {
            Behaviour::NeverAnswers => return self.wait_for_the_end(),
            Behaviour::NotHttp => return self.stream.write_all(b"220 mail.example ESMTP\r\n"),
            Behaviour::NotFound => return self.stream.write_all(b"HTTP/1.1 404 Not Found\r\n\r\n"),
            _ => {}
        }
        self.write(b"HTTP/1.1 101 Sure\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")?;
        self.text(r#"0{"sid":"a","pingInterval":25000}"#)?;
        while let Some(message) = self.message()? {
            self.answer(&message)?;
        }
        self.stream.write_all(&[0x88, 0])
    }

    fn wait_for_the_end(&mut self) -> io::Result<()> {
        self.stream.read_to_end(&mut Vec::new()).map(drop)
    }

    /// The next text message, or `None` at a close frame.
    fn message(&mut self) -> io::Result<Option<String>> {
        let mut head = [0; 6];
        self.stream.read_exact(&mut head)?;
        let mut payload = vec![0; usize::from(head[1] & 0x7f)];
        assert!(payload.len() < 126, "longer than any test needs");
        self.stream.read_exact(&mut payload)?;
        payload.iter_mut().zip(head[2..].iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        Ok((head[0] == 0x81).then(|| String::from_utf8(payload).expect("the driver sends text")))
    }

    fn answer(&mut self, message: &str) -> io::Result<()> {
        if message == "40" {
            match self.behaviour {
                Behaviour::RefusesTheNamespace => return self.text(r#"44{"message":"Invalid namespace"}"#),
                Behaviour::HangsUp => {
                    self.text("40{}")?;
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                _ => {}
            }
            self.join("all")?;
            self.join(&self.id)?;
            self.text(&format!(r#"40{{"sid":"{}"}}"#, self.id))?;
            return if self.behaviour == Behaviour::Pings { self.text("2") } else { Ok(()) };
        }
        if message == "3" {
            return self.text("2");
        }
        let Some((id, data)) = message.strip_prefix("42").and_then(|rest| rest.split_once('[')) else {
            return Ok(());
        };
        let words: Vec<&str> =
            data.trim_end_matches(']').split(',').map(|word| word.trim_matches('"')).collect();
        match words[..] {
            _ if self.behaviour == Behaviour::NeverAcknowledges => Ok(()),
            ["echo", value] => self.text(&format!(r#"43{id}["{value}"]"#)),
            ["bcast", value] => self.publish("all", value),
            ["join", room] => {
                self.join(room)?;
                self.text(&format!("43{id}[]"))
            }
            ["in-room", room, "msg", value] => self.publish(room, value),
            _ => Ok(()),
        }
    }

    fn join(&self, room: &str) -> io::Result<()> {
        let member = self.stream.try_clone()?;
        self.rooms.lock().unwrap().entry(room.to_owned()).or_default().push(member);
        Ok(())
    }

    fn publish(&self, room: &str, value: &str) -> io::Result<()> {
        let frame = frame(&format!(r#"42["msg","{value}"]"#));
        let mut rooms = self.rooms.lock().unwrap();
        let members = rooms.get_mut(room).into_iter().flatten();
        members.into_iter().try_for_each(|member| member.write_all(&frame))
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        self.write(&frame(text))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let step = if self.behaviour == Behaviour::Trickles { 1 } else { bytes.len() };
        bytes.chunks(step).try_for_each(|chunk| self.stream.write_all(chunk))
    }
}

fn frame(text: &str) -> Vec<u8> {
    assert!(text.len() < 126, "longer than any test needs");
    let mut frame = vec![0x81, text.len() as u8];
    frame.extend_from_slice(text.as_bytes());
    frame
}
