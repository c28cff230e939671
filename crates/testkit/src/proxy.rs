//! The network between two programs, as a TCP proxy that can be slow, silent or cut. It passes bytes on and knows nothing of
//! what they mean; it owns the connections that go through it, and they end with it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// Pieces of a stream that may be on their way in one direction; then the sender has to wait.
const PIECES_MAX: usize = 256;

/// The longest piece, in bytes.
const PIECE_BYTES_MAX: usize = 64 * 1024;

/// How a network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Everything arrives this much later, in each direction. Zero is fair weather.
    Delay(Duration),
    /// Nothing arrives and nothing breaks: what was sent waits, connections are taken.
    Silent,
    /// All connections break, and new ones are ended at once.
    Cut,
}

/// A proxy on a free port of the loopback address. Dropped, it ends all that went through it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
}

impl Proxy {
    /// Starts one before a server, in fair weather.
    ///
    /// # Panics
    /// When it cannot bind; its thread, when it has no runtime.
    pub fn start(target: SocketAddr) -> Self {
        let listener =
            std::net::TcpListener::bind("127.0.0.1:0").expect("a free port on the loopback address");
        let address = listener.local_addr().expect("a bound listener has an address");
        let (weather, forecast) = watch::channel(Weather::Delay(Duration::ZERO));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(serve(listener, target, forecast));
        });
        Self { address, weather }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the weather, for connections that there are too.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

/// Takes connections until the proxy is dropped.
async fn serve(listener: std::net::TcpListener, target: SocketAddr, mut weather: watch::Receiver<Weather>) {
    listener.set_nonblocking(true).expect("a listener can be made not to block");
    let listener = TcpListener::from_std(listener).expect("a listener of the runtime");
    let alive = weather.clone();
    loop {
        tokio::select! {
            taken = listener.accept() => {
                if let Ok((client, _)) = taken {
                    tokio::spawn(connect(client, target, alive.clone()));
                }
            }
            changed = weather.changed() => if changed.is_err() { return },
        }
    }
}

/// One connection, from end to end.
async fn connect(client: TcpStream, target: SocketAddr, mut weather: watch::Receiver<Weather>) {
    let through = {
        let weather = weather.clone();
        async move {
            let Ok(server) = TcpStream::connect(target).await else { return };
            for stream in [&client, &server] {
                // Delays are for this proxy to make.
                let _ = stream.set_nodelay(true);
            }
            let ((from_client, to_client), (from_server, to_server)) =
                (client.into_split(), server.into_split());
            tokio::select! {
                () = carry(from_client, to_server, weather.clone()) => {}
                () = carry(from_server, to_client, weather) => {}
            }
        }
    };
    tokio::select! {
        () = through => {}
        // An error says that the proxy is gone.
        _ = weather.wait_for(|weather| *weather == Weather::Cut) => {}
    }
}

/// One direction of a connection, until either end closes.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut weather: watch::Receiver<Weather>) {
    let (sent, mut arriving) = mpsc::channel::<(Instant, Vec<u8>)>(PIECES_MAX);
    let forecast = weather.clone();
    let read = async move {
        let mut buffer = vec![0; PIECE_BYTES_MAX];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let delay = match *forecast.borrow() {
                Weather::Delay(delay) => delay,
                Weather::Silent | Weather::Cut => Duration::ZERO,
            };
            if sent.send((Instant::now() + delay, buffer[..count].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let write = async move {
        while let Some((due, piece)) = arriving.recv().await {
            sleep_until(due).await;
            let fair = weather.wait_for(|weather| *weather != Weather::Silent).await.is_ok();
            if !fair || to.write_all(&piece).await.is_err() {
                return;
            }
        }
    };
    // What was read before the end arrives before it.
    tokio::join!(read, write);
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use super::*;
    use crate::wait::WAIT;

    /// A server that sends back what it is sent, and a proxy before it.
    fn echo() -> Proxy {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Proxy::start(server.local_addr().unwrap());
        std::thread::spawn(move || {
            for client in server.incoming() {
                std::thread::spawn(move || {
                    let mut client = client.unwrap();
                    let mut back = client.try_clone().unwrap();
                    std::io::copy(&mut client, &mut back)
                });
            }
        });
        proxy
    }

    fn client(proxy: &Proxy) -> TcpStream {
        let client = TcpStream::connect(proxy.address()).unwrap();
        client.set_read_timeout(Some(WAIT)).unwrap();
        client
    }

    /// Sends a byte and reads what comes; `None` at the end of the connection.
    fn ask(client: &mut TcpStream, byte: u8) -> Option<u8> {
        let mut answer = [0];
        client.write_all(&[byte]).ok()?;
        client.read_exact(&mut answer).ok().map(|()| answer[0])
    }

    #[test]
    fn bytes_pass_and_a_delay_is_that_of_both_directions() {
        let proxy = echo();
        let mut client = client(&proxy);
        assert_eq!(ask(&mut client, 1), Some(1));
        let delay = Duration::from_millis(30);
        proxy.set(Weather::Delay(delay));
        let begun = std::time::Instant::now();
        assert_eq!(ask(&mut client, 2), Some(2));
        assert!(begun.elapsed() >= delay * 2);
    }

    #[test]
    fn silence_keeps_what_was_sent() {
        let proxy = echo();
        let mut client = client(&proxy);
        assert_eq!(ask(&mut client, 1), Some(1));
        proxy.set(Weather::Silent);
        client.write_all(&[2]).unwrap();
        client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        assert!(client.read_exact(&mut [0]).is_err());
        client.set_read_timeout(Some(WAIT)).unwrap();
        proxy.set(Weather::Delay(Duration::ZERO));
        assert_eq!(ask(&mut client, 3), Some(2));
    }

    #[test]
    fn a_cut_ends_what_there_is_and_what_comes_until_it_is_mended() {
        let proxy = echo();
        let mut before = client(&proxy);
        assert_eq!(ask(&mut before, 1), Some(1));
        proxy.set(Weather::Cut);
        assert!(matches!(before.read(&mut [0]), Ok(0) | Err(_)));
        assert_eq!(ask(&mut client(&proxy), 1), None);
        proxy.set(Weather::Delay(Duration::ZERO));
        assert_eq!(ask(&mut client(&proxy), 2), Some(2));
    }
}
