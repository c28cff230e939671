//! A way to a server on which connections can go deaf: they stay open and answer, but whatever the server pushes is lost.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use throng_backbone::{Address, Deployment};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Proxy {
    address: SocketAddr,
    hearing: Arc<Hearing>,
}

#[derive(Default)]
struct Hearing {
    /// Connections so far.
    opened: AtomicUsize,
    /// As many of the first are deaf.
    deaf: AtomicUsize,
    /// Pushes that were lost.
    swallowed: AtomicUsize,
}

impl Proxy {
    /// Passes connections on until the runtime ends.
    pub(crate) async fn start(target: Address) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("the loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let hearing = Arc::new(Hearing::default());
        let shared = hearing.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect((&*target.host, target.port)).await else { continue };
                let number = shared.opened.fetch_add(1, Ordering::SeqCst);
                let ((mut asked, answers), (said, mut asks)) = (client.into_split(), server.into_split());
                tokio::spawn(async move { tokio::io::copy(&mut asked, &mut asks).await });
                let hearing = shared.clone();
                tokio::spawn(async move { hearing.pass(number, said, answers).await });
            }
        });
        Self { address, hearing }
    }

    pub(crate) fn deployment(&self) -> Deployment {
        Deployment::Single(Address::new("127.0.0.1", self.address.port()))
    }

    /// Makes every connection deaf that is open now.
    pub(crate) fn deafen(&self) {
        self.hearing.deaf.store(self.hearing.opened.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// How many pushes were lost.
    pub(crate) fn swallowed(&self) -> usize {
        self.hearing.swallowed.load(Ordering::SeqCst)
    }
}

impl Hearing {
    async fn pass(&self, number: usize, mut said: OwnedReadHalf, mut answers: OwnedWriteHalf) {
        let mut waiting = Vec::new();
        while said.read_buf(&mut waiting).await.is_ok_and(|count| count > 0) {
            while let Some(length) = frame(&waiting) {
                let frame: Vec<u8> = waiting.drain(..length).collect();
                if frame[0] == b'>' && number < self.deaf.load(Ordering::SeqCst) {
                    self.swallowed.fetch_add(1, Ordering::SeqCst);
                } else if answers.write_all(&frame).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// The length of the first value of RESP3, once all of it is there.
fn frame(bytes: &[u8]) -> Option<usize> {
    let line = bytes.windows(2).position(|end| end == b"\r\n")? + 2;
    let number = || std::str::from_utf8(&bytes[1..line - 2]).ok()?.parse::<usize>().ok();
    let parts = match bytes[0] {
        b'$' | b'=' | b'!' => {
            let length = line + number().map_or(0, |length| length + 2);
            return (bytes.len() >= length).then_some(length);
        }
        b'*' | b'~' | b'>' => number().unwrap_or(0),
        b'%' => 2 * number().unwrap_or(0),
        _ => 0,
    };
    (0..parts).try_fold(line, |at, _| Some(at + frame(&bytes[at..])?))
}
