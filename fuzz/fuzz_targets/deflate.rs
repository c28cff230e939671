//! Any payload inflates within its limit or is refused; any message comes back from every window.

#![no_main]

use libfuzzer_sys::fuzz_target;
use throng_protocol::websocket::deflate::{Deflater, Inflater, Window};

const BYTES_MAX: usize = 16 * 1024;

fuzz_target!(|data: &[u8]| {
    let mut inflater = Inflater::new();
    let mut inflated = Vec::new();
    let result = inflater.inflate(data, BYTES_MAX, &mut inflated);
    assert!(inflated.capacity() <= BYTES_MAX + 1);
    assert!(result.is_err() || inflated.len() <= BYTES_MAX);

    let Some((bits, message)) = data.split_first() else { return };
    let window = Window::from_bits(9 + bits % 7).expect("9 to 15");
    let mut deflater = Deflater::new();
    // Repeated, so that it is longer than the smaller windows and has something to refer back to.
    for message in [message.to_vec(), message.repeat(40)] {
        let mut compressed = Vec::new();
        deflater.deflate_within(window, &message, &mut compressed);
        inflated.clear();
        assert_eq!(inflater.inflate(&compressed, message.len(), &mut inflated), Ok(()));
        assert_eq!(inflated, message);
    }
});
