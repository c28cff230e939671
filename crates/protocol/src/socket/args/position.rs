//! Taking arguments apart by position without decoding them.

use super::{Args, ArgsRef};

impl Args {
    /// The arguments from position `from` on; what is passed over is not decoded.
    pub fn skip(&self, from: usize) -> Self {
        match self {
            Self::Json(text) => Self::Json((0..from).fold(&**text, |rest, _| split(rest).1).into()),
            Self::Values(values) => Self::Values(values.get(from..).unwrap_or_default().to_vec()),
        }
    }

    /// The first argument alone; none when there is none.
    pub fn first(&self) -> Self {
        match self.as_ref() {
            ArgsRef::Json(text) => Self::Json(split(text).0.into()),
            ArgsRef::Values(values) => Self::Values(values.get(..1).unwrap_or_default().to_vec()),
        }
    }
}

/// Splits valid JSON values divided by commas behind the first.
fn split(text: &str) -> (&str, &str) {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => return (&text[..at], &text[at + 1..]),
            _ => {}
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, first: &str, rest: &str) {
        let args = Args::Json(text.into());
        assert_eq!((args.first(), args.skip(1)), (Args::Json(first.into()), Args::Json(rest.into())));
    }

    #[test]
    fn only_commas_between_arguments_divide_them() {
        check("", "", "");
        check("1", "1", "");
        check("1,2,3", "1", "2,3");
        check(r#"{"a":[1,2],"b":"}"},4"#, r#"{"a":[1,2],"b":"}"}"#, "4");
        check(r#""a\",b",["c,d"]"#, r#""a\",b""#, r#"["c,d"]"#);
        check(r#""a\\",2"#, r#""a\\""#, "2");
    }

    #[test]
    fn values_are_taken_apart_alike() {
        let args = Args::Values(vec![1.into(), 2.into()]);
        assert_eq!(
            (args.first(), args.skip(1)),
            (Args::Values(vec![1.into()]), Args::Values(vec![2.into()]))
        );
        assert_eq!(args.skip(9), Args::Values(vec![]));
    }
}
