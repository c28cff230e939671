//! permessage-deflate: large messages are compressed for those who agreed to it, small ones for nobody.

use flate2::{Decompress, FlushDecompress};
use throng_node::{Config, End};
use throng_testkit::{Frame, WebSocket, config};

use crate::node_with;

const OFFER: &str = "sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n";
const PATH: &str = "/socket.io/?EIO=4&transport=websocket";

fn joined(address: std::net::SocketAddr, offer: &str) -> (WebSocket, Option<String>) {
    let (mut websocket, response) = WebSocket::connect_with(address, PATH, offer);
    websocket.send_text("40");
    assert!(websocket.next_frame().text().starts_with("0{"));
    assert!(websocket.next_frame().text().starts_with("40{"));
    let agreed = response.header("sec-websocket-extensions").map(str::to_owned);
    (websocket, agreed)
}

fn inflate(frame: &Frame, window_bits: u8) -> String {
    if !frame.compressed {
        return frame.clone().text();
    }
    let mut inflater = Decompress::new_with_window_bits(false, window_bits);
    let input = [frame.payload.as_slice(), &[0, 0, 0xff, 0xff]].concat();
    let mut output = Vec::with_capacity(1 << 20);
    inflater.decompress_vec(&input, &mut output, FlushDecompress::Sync).expect("deflate within the window");
    String::from_utf8(output).expect("text is UTF-8")
}

/// Text that repeats itself only far back.
fn large() -> String {
    let mut seed = 1_u32;
    let mut word = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        format!("{seed:08x}")
    };
    let once: String = (0..600).map(|_| word()).collect();
    once.repeat(4)
}

#[test]
fn a_large_broadcast_is_compressed_and_a_small_one_is_not() {
    let node = node_with(Config { compression_bytes_min: Some(1024), ..config() }, |_| {});
    let (mut compressing, agreed) = joined(node.address(), OFFER);
    assert!(agreed.is_some_and(|agreed| agreed.contains("server_no_context_takeover")));
    let (mut plain, refused) = joined(node.address(), "");
    assert_eq!(refused, None);
    for text in ["small".to_owned(), large()] {
        node.io().of("/").emit("text", text.as_str());
        let (packed, open) = (compressing.next_frame(), plain.next_frame());
        let expect = format!("42[\"text\",\"{text}\"]");
        assert_eq!((packed.compressed, open.compressed), (text.len() >= 1024, false));
        assert_eq!((inflate(&packed, 15), open.text()), (expect.clone(), expect));
        assert!(!packed.compressed || packed.payload.len() < text.len() / 2);
    }
}

#[test]
fn the_window_that_a_client_asks_for_is_kept() {
    let node = node_with(Config { compression_bytes_min: Some(1024), ..config() }, |_| {});
    let offer = "sec-websocket-extensions: permessage-deflate; server_max_window_bits=9\r\n";
    let (mut small, agreed) = joined(node.address(), offer);
    let (mut full, _) = joined(node.address(), OFFER);
    assert!(agreed.is_none_or(|agreed| agreed.contains("server_max_window_bits=9")));
    let text = large();
    node.io().of("/").emit("text", text.as_str());
    let expect = format!("42[\"text\",\"{text}\"]");
    assert_eq!(inflate(&small.next_frame(), 9), expect);
    assert_eq!(inflate(&full.next_frame(), 15), expect);
}

#[test]
fn without_the_setting_nothing_is_agreed() {
    let node = node_with(config(), |_| {});
    let (mut websocket, agreed) = joined(node.address(), OFFER);
    assert_eq!(agreed, None);
    node.io().of("/").emit("text", large());
    assert!(!websocket.next_frame().compressed);
}

#[test]
fn a_compressed_bomb_ends_at_the_limit() {
    let node = node_with(Config { compression_bytes_min: Some(1024), ..config() }, |_| {});
    let (mut websocket, _) = joined(node.address(), OFFER);
    let mut packer = flate2::Compress::new(flate2::Compression::best(), false);
    let mut packed = Vec::with_capacity(1 << 20);
    packer.compress_vec(&vec![b'x'; 50_000_000], &mut packed, flate2::FlushCompress::Sync).unwrap();
    packed.truncate(packed.len() - 4);
    let mut frame = WebSocket::frame(throng_testkit::Opcode::Text, &packed);
    frame[0] |= 0x40;
    websocket.send_raw(&frame);
    assert_eq!(websocket.close_code(), Some(1009));
    node.until("too large", |metrics| metrics.sessions_ended(End::PayloadTooLarge) == 1);
}
