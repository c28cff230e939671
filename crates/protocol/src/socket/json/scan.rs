//! Checks JSON text without building anything from it: one pass, no recursion, no allocation, a limit on nesting.
//!
//! It accepts what `JSON.parse` accepts. In particular a lone surrogate escape (`"\ud800"`) and a number beyond the
//! range of an `f64` are grammar, not faults; whoever turns such a value into a Rust type may refuse it.

use crate::socket::packet::PacketError;

/// The deepest nesting that any limit may allow: the open levels are the bits of one integer, and serde_json, which
/// reads the text later, stops there too.
pub(crate) const DEPTH_CEILING: usize = 127;

/// The parts of a checked JSON array; each is a slice of it without surrounding white space.
#[derive(Debug, PartialEq)]
pub(crate) struct Elements<'a> {
    /// Everything between the brackets.
    pub(crate) all: &'a str,
    /// The first element; `None` in an empty array.
    pub(crate) first: Option<&'a str>,
    /// What follows the first element and its comma.
    pub(crate) rest: &'a str,
}

/// Checks that `text` is one JSON array and nothing else, its elements nested at most `depth_max` deep.
pub(crate) fn array(text: &str, depth_max: usize) -> Result<Elements<'_>, PacketError> {
    let mut scan = Scan::new(text);
    scan.space();
    scan.expect(b'[')?;
    scan.space();
    if scan.peek() == b']' {
        scan.at += 1;
        scan.end()?;
        return Ok(Elements { all: "", first: None, rest: "" });
    }
    let start = scan.at;
    scan.value(depth_max)?;
    let first_end = scan.at;
    let (mut end, mut rest) = (first_end, first_end);
    loop {
        scan.space();
        match scan.next() {
            b',' => {
                scan.space();
                if end == first_end {
                    rest = scan.at;
                }
                scan.value(depth_max)?;
                end = scan.at;
            }
            b']' => break,
            _ => return Err(PacketError::Payload),
        }
    }
    scan.end()?;
    Ok(Elements { all: &text[start..end], first: Some(&text[start..first_end]), rest: &text[rest..end] })
}

/// Checks that `text` is one JSON value and nothing else, nested at most `depth_max` deep.
pub(crate) fn value(text: &str, depth_max: usize) -> Result<(), PacketError> {
    let mut scan = Scan::new(text);
    scan.space();
    scan.value(depth_max)?;
    scan.end()
}

/// The first element inside an array, and what follows its comma; both are empty where there is none.
pub(crate) fn split_first(elements: &str) -> Result<(&str, &str), PacketError> {
    let mut scan = Scan::new(elements);
    scan.space();
    let start = scan.at;
    if start == elements.len() {
        return Ok(("", ""));
    }
    scan.value(DEPTH_CEILING)?;
    let first = &elements[start..scan.at];
    scan.space();
    if scan.peek() == b',' {
        scan.at += 1;
        scan.space();
        return Ok((first, &elements[scan.at..]));
    }
    scan.end().map(|()| (first, ""))
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    const fn new(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), at: 0 }
    }

    /// The byte at the cursor; 0, which JSON never has outside a string, at the end.
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    /// The byte at the cursor, which then stands behind it.
    fn next(&mut self) -> u8 {
        let byte = self.peek();
        self.at += 1;
        byte
    }

    fn expect(&mut self, byte: u8) -> Result<(), PacketError> {
        if self.next() == byte { Ok(()) } else { Err(PacketError::Payload) }
    }

    fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    fn end(&mut self) -> Result<(), PacketError> {
        self.space();
        if self.at >= self.bytes.len() { Ok(()) } else { Err(PacketError::Payload) }
    }

    /// One value; the cursor stands on its first byte.
    #[inline]
    fn value(&mut self, depth_max: usize) -> Result<(), PacketError> {
        // Most events are a name and a text or a number: what has no levels needs no account of them.
        match self.peek() {
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            _ => self.nested(depth_max),
        }
    }

    fn nested(&mut self, depth_max: usize) -> Result<(), PacketError> {
        let depth_max = depth_max.min(DEPTH_CEILING);
        // One bit per open level, the innermost lowest: 1 for an object, 0 for an array.
        let (mut objects, mut depth) = (0_u128, 0);
        loop {
            let mut complete = true;
            match self.peek() {
                b'"' => self.string()?,
                b'-' | b'0'..=b'9' => self.number()?,
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                open @ (b'[' | b'{') => {
                    if depth == depth_max {
                        return Err(PacketError::TooDeep);
                    }
                    depth += 1;
                    objects = objects << 1 | u128::from(open == b'{');
                    self.at += 1;
                    self.space();
                    // An empty one is closed below; else its first element (behind its key) comes next.
                    complete = matches!((open, self.peek()), (b'[', b']') | (b'{', b'}'));
                    if !complete && open == b'{' {
                        self.key()?;
                    }
                }
                _ => return Err(PacketError::Payload),
            }
            while complete {
                if depth == 0 {
                    return Ok(());
                }
                self.space();
                match (self.next(), objects & 1) {
                    (b']', 0) | (b'}', 1) => {
                        depth -= 1;
                        objects >>= 1;
                    }
                    (b',', is_object) => {
                        self.space();
                        if is_object == 1 {
                            self.key()?;
                        }
                        complete = false;
                    }
                    _ => return Err(PacketError::Payload),
                }
            }
        }
    }

    fn key(&mut self) -> Result<(), PacketError> {
        if self.peek() != b'"' {
            return Err(PacketError::Payload);
        }
        self.string()?;
        self.space();
        self.expect(b':')?;
        self.space();
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Result<(), PacketError> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err(PacketError::Payload);
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), PacketError> {
        if self.peek() == b'-' {
            self.at += 1;
        }
        if self.peek() == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// One or more digits.
    fn digits(&mut self) -> Result<(), PacketError> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(PacketError::Payload) }
    }

    /// A string; the cursor stands on its opening quote.
    fn string(&mut self) -> Result<(), PacketError> {
        self.at += 1;
        loop {
            self.plain();
            match self.next() {
                b'"' => return Ok(()),
                b'\\' => self.escape()?,
                _ => return Err(PacketError::Payload),
            }
        }
    }

    /// Moves to the next quote, backslash or control character, or to the end; eight bytes at a time.
    fn plain(&mut self) {
        while let Some(chunk) = self.bytes[self.at..].first_chunk::<8>() {
            let stops = stops(u64::from_le_bytes(*chunk));
            if stops != 0 {
                self.at += stops.trailing_zeros() as usize / 8;
                return;
            }
            self.at += 8;
        }
        while !matches!(self.peek(), b'"' | b'\\' | 0..0x20) {
            self.at += 1;
        }
    }

    fn escape(&mut self) -> Result<(), PacketError> {
        match self.next() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => {
                let digits = self.bytes[self.at..].first_chunk::<4>().ok_or(PacketError::Payload)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return Err(PacketError::Payload);
                }
                self.at += 4;
                Ok(())
            }
            _ => Err(PacketError::Payload),
        }
    }
}

/// Marks the bytes of a word that end a plain run: the lowest marked bit is exact, higher ones may not be (a borrow
/// from below). Source: "Bit Twiddling Hacks", determine if a word has a byte less than n.
const fn stops(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    const fn zeros(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word
    }
    let quote = zeros(word ^ (ONES * b'"' as u64));
    let backslash = zeros(word ^ (ONES * b'\\' as u64));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & HIGHS
}

#[cfg(test)]
mod tests;
