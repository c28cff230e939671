//! Socket.IO packets of the default encoding: a text and the binary messages behind it, divided by bytes of 0xff.
//!
//! Besides not panicking: an acknowledgement is accepted exactly when serde_json accepts its array, and a packet that
//! was read is read the same after it was written again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use throng_protocol::socket::args::ArgsRef;
use throng_protocol::socket::codec::{Assembler, Codec};
use throng_protocol::socket::packet::{Body, Packet, PacketError};

fuzz_target!(|data: &[u8]| {
    let mut parts = data.split(|byte| *byte == 0xff);
    let Ok(text) = std::str::from_utf8(parts.next().unwrap_or_default()) else { return };
    let (codec, mut assembler) = (Codec::default(), Assembler::default());

    let array = format!("31[{text}]");
    match assembler.text(&codec, &array) {
        Err(PacketError::TooDeep) => {}
        read => {
            assert_eq!(read.is_ok(), serde_json::from_str::<Vec<IgnoredAny>>(&array[2..]).is_ok(), "{text}")
        }
    }

    let mut packet = assembler.text(&codec, text);
    if let Ok(Some(packet)) = &packet {
        write_and_read(&codec, packet);
    }
    while let Ok(None) = packet {
        let Some(part) = parts.next() else { return };
        packet = assembler.binary(&codec, part);
        if let Ok(Some(packet)) = &packet {
            write_and_read(&codec, packet);
        }
    }
});

fn write_and_read(codec: &Codec, packet: &Packet<'_>) {
    let (nsp, mut first) = (&packet.nsp, Vec::new());
    let attachments = match &packet.body {
        Body::Event { ack, name, args } => codec.event(nsp, *ack, name, &(*args).to_owned(), &mut first),
        Body::Ack { ack, args } => codec.ack(nsp, *ack, &(*args).to_owned(), &mut first),
        _ => return,
    };
    let mut assembler = Assembler::default();
    let first = String::from_utf8(first).expect("text");
    let mut messages = attachments.iter();
    let mut again = assembler.text(codec, &first).expect("a packet of our own");
    while again.is_none() {
        let attachment = messages.next().expect("as many attachments as were announced");
        again = assembler.binary(codec, attachment).expect("an attachment of our own");
    }
    let again = again.expect("the loop ends with a packet");
    // A binary packet that holds no attachment in its arguments comes back as text.
    let parsed = |args: &ArgsRef<'_>| match args {
        ArgsRef::Json(text) => serde_json::from_str::<Vec<rmpv::Value>>(&format!("[{text}]")).ok(),
        ArgsRef::Values(values) => Some(values.to_vec()),
    };
    match (&packet.body, &again.body) {
        (
            Body::Event { ack, name, args },
            Body::Event { ack: ack_again, name: name_again, args: args_again },
        ) => {
            assert_eq!((ack, name, parsed(args)), (ack_again, name_again, parsed(args_again)));
        }
        (Body::Ack { ack, args }, Body::Ack { ack: ack_again, args: args_again }) => {
            assert_eq!((ack, parsed(args)), (ack_again, parsed(args_again)));
        }
        bodies => panic!("{bodies:?}"),
    }
}
