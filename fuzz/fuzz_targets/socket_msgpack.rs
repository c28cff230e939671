//! Socket.IO packets of the msgpack encoding. Besides not panicking: what was read and written is read and written the
//! same again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use throng_protocol::socket::codec::{Assembler, Codec, Parser};
use throng_protocol::socket::packet::Body;

fuzz_target!(|data: &[u8]| {
    let codec = Codec { parser: Parser::MsgPack, ..Codec::default() };
    if let Some(written) = read_and_write(&codec, data) {
        assert_eq!(read_and_write(&codec, &written).as_ref(), Some(&written));
    }
});

fn read_and_write(codec: &Codec, message: &[u8]) -> Option<Vec<u8>> {
    let (mut assembler, mut into) = (Assembler::default(), Vec::new());
    let packet = assembler.binary(codec, message).ok()?.expect("a packet has no attachments");
    match &packet.body {
        Body::Connect(auth) => codec.connect(&packet.nsp, auth.as_ref(), &mut into),
        Body::Disconnect => codec.disconnect(&packet.nsp, &mut into),
        Body::Event { ack, name, args } => {
            codec.event(&packet.nsp, *ack, name, &(*args).to_owned(), &mut into);
        }
        Body::Ack { ack, args } => {
            codec.ack(&packet.nsp, *ack, &(*args).to_owned(), &mut into);
        }
        Body::ConnectError(error) => codec.connect_error(&packet.nsp, "", Some(error), &mut into),
    }
    match packet.body {
        // A packet around the error instead of the error itself: it grows each time.
        Body::ConnectError(_) => None,
        _ => Some(into),
    }
}
