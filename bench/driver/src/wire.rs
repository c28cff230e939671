//! WebSocket frames as the driver needs them: client frames are masked once, when the load is prepared; server frames
//! are cut out of the read buffer without copying. No state, no fragments put together, no UTF-8 checks: whether the
//! server speaks properly is a test suite's question, not a load driver's.

/// The masking key of every frame. Not zero, so that the server's unmasking is part of what is measured.
const MASK: [u8; 4] = [0x5a, 0xc3, 0x3c, 0xa5];

/// One frame from the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) opcode: u8,
    pub(crate) last: bool,
    pub(crate) payload: &'a [u8],
}

/// Opcodes of RFC 6455, section 5.2.
pub(crate) mod opcode {
    pub(crate) const CONTINUATION: u8 = 0;
    pub(crate) const TEXT: u8 = 1;
    pub(crate) const CLOSE: u8 = 8;
    pub(crate) const PING: u8 = 9;
    pub(crate) const PONG: u8 = 10;
}

/// Cuts the first frame off `bytes`; `Ok(None)` while it is not complete. The number is the bytes used.
///
/// # Errors
/// The total length that the frame announces, when that is more than `max` bytes.
pub(crate) fn cut(bytes: &[u8], max: usize) -> Result<Option<(Frame<'_>, usize)>, u64> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    let (header, length) = match second & 0x7f {
        126 => match rest.first_chunk::<2>() {
            Some(length) => (4, u64::from(u16::from_be_bytes(*length))),
            None => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(length) => (10, u64::from_be_bytes(*length)),
            None => return Ok(None),
        },
        short => (2, u64::from(short)),
    };
    let total = length.saturating_add(header as u64);
    let Some(end) = usize::try_from(total).ok().filter(|&end| end <= max) else { return Err(total) };
    let Some(payload) = bytes.get(header..end) else { return Ok(None) };
    Ok(Some((Frame { opcode: first & 0x0f, last: first & 0x80 != 0, payload }, end)))
}

/// Appends one masked frame to `output`.
pub(crate) fn push(output: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    output.push(0x80 | opcode);
    match payload.len() {
        length @ 0..126 => output.push(0x80 | length as u8),
        length @ 126..65536 => {
            output.push(0x80 | 126);
            output.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            output.push(0x80 | 127);
            output.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    output.extend_from_slice(&MASK);
    output.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// One masked text frame.
pub(crate) fn text(payload: &str) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 14);
    push(&mut frame, opcode::TEXT, payload.as_bytes());
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A masked frame with its mask taken off, as a server would see it.
    fn unmasked(frame: &[u8]) -> Vec<u8> {
        let header = match frame[1] & 0x7f {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        let mut bytes = frame[..header].to_vec();
        bytes[1] &= 0x7f;
        bytes.extend(frame[header + 4..].iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    }

    #[test]
    fn what_is_pushed_is_cut_again_whatever_its_length() {
        for length in [0, 1, 125, 126, 65535, 65536] {
            let payload = "x".repeat(length);
            let bytes = unmasked(&text(&payload));
            let (frame, used) = cut(&bytes, bytes.len()).unwrap().unwrap();
            assert_eq!((frame.opcode, frame.last, frame.payload), (opcode::TEXT, true, payload.as_bytes()));
            assert_eq!(used, bytes.len());
        }
    }

    #[test]
    fn an_unfinished_frame_waits_for_the_rest() {
        let bytes = unmasked(&text(&"x".repeat(200)));
        for end in 0..bytes.len() {
            assert_eq!(cut(&bytes[..end], 1000), Ok(None));
        }
    }

    #[test]
    fn a_frame_beyond_the_buffer_is_refused_by_its_header() {
        assert_eq!(cut(&[0x81, 127, 0, 0, 0, 0, 0x80, 0, 0, 0], 1000), Err(0x8000_000a));
        assert_eq!(cut(&[0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255], 1000), Err(u64::MAX));
    }
}
