//! Taking arguments apart by position without decoding them.

use super::Args;
use crate::socket::json::scan;

impl Args {
    /// The arguments from position `from` on; what is passed over is not decoded.
    pub fn skip(&self, from: usize) -> Self {
        match self {
            Self::Json(text) => Self::Json((0..from).fold(&**text, |rest, _| split(rest).1).into()),
            Self::Values(values) => Self::Values(values.get(from..).unwrap_or_default().to_vec()),
        }
    }

    /// The first argument alone; none when there is none.
    pub fn first(self) -> Self {
        match self {
            // Where nothing divides there is one at most.
            Self::Json(text) if memchr::memchr(b',', text.as_bytes()).is_none() => Self::Json(text),
            Self::Json(text) => {
                let mut text = String::from(text);
                text.truncate(split(&text).0.len());
                Self::Json(text.into())
            }
            Self::Values(mut values) => {
                values.truncate(1);
                Self::Values(values)
            }
        }
    }
}

/// Splits behind the first of some JSON values divided by commas. Text that is not JSON is one argument, for whoever
/// decodes it to refuse.
fn split(text: &str) -> (&str, &str) {
    scan::split_first(text).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, first: &str, rest: &str) {
        let args = Args::Json(text.into());
        assert_eq!((args.clone().first(), args.skip(1)), (Args::Json(first.into()), Args::Json(rest.into())));
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
            (args.clone().first(), args.skip(1)),
            (Args::Values(vec![1.into()]), Args::Values(vec![2.into()]))
        );
        assert_eq!(args.skip(9), Args::Values(vec![]));
    }
}
