//! Writes values as JSON, with placeholders for what is binary.
//!
//! Everything that JSON cannot say gets the nearest form that JavaScript knows, so that nothing here can fail: a number
//! that is not finite is `null`, a key that is not a string is its text, and an extension is `[type, bytes]`.

use std::fmt::Display;
use std::io::Write as _;

use bytes::Bytes;
use rmpv::Value;
use serde::Serialize;

use crate::socket::codec::Attachments;

/// Appends what serde_json makes of a value that cannot fail to serialize: JSON values, strings, numbers.
pub(super) fn json<T: Serialize + ?Sized>(value: &T, into: &mut Vec<u8>) {
    serde_json::to_writer(into, value).expect("a value without maps of foreign keys, written to memory");
}

/// Appends a value's text.
pub(super) fn display(value: impl Display, into: &mut Vec<u8>) {
    write!(into, "{value}").expect("writing to memory cannot fail");
}

/// Appends a number's decimal digits. Formatting would take a third of the time of writing a small acknowledgement.
pub(super) fn decimal(mut number: u64, into: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    into.extend_from_slice(&digits[first..]);
}

/// How many attachments [`elements`] will make.
pub(super) fn attachment_count(values: &[Value]) -> usize {
    values.iter().map(attachments_in).sum()
}

fn attachments_in(value: &Value) -> usize {
    match value {
        Value::Binary(_) | Value::Ext(..) => 1,
        Value::Array(items) => attachment_count(items),
        Value::Map(entries) => entries.iter().map(|(_, value)| attachments_in(value)).sum(),
        _ => 0,
    }
}

/// Appends values with commas between them; what is binary goes to `attachments`.
pub(super) fn elements(values: &[Value], into: &mut Vec<u8>, attachments: &mut Attachments) {
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            into.push(b',');
        }
        element(value, into, attachments);
    }
}

fn element(value: &Value, into: &mut Vec<u8>, attachments: &mut Attachments) {
    match value {
        Value::Nil => into.extend_from_slice(b"null"),
        Value::Boolean(truth) => json(truth, into),
        Value::Integer(number) => display(number, into),
        Value::F32(number) => json(number, into),
        Value::F64(number) => json(number, into),
        Value::String(text) => json(&*String::from_utf8_lossy(text.as_bytes()), into),
        Value::Binary(bytes) => attach(bytes, into, attachments),
        Value::Ext(kind, bytes) => {
            display(format_args!("[{kind},"), into);
            attach(bytes, into, attachments);
            into.push(b']');
        }
        Value::Array(items) => {
            into.push(b'[');
            elements(items, into, attachments);
            into.push(b']');
        }
        Value::Map(entries) => {
            into.push(b'{');
            for (at, (key, value)) in entries.iter().enumerate() {
                if at > 0 {
                    into.push(b',');
                }
                match key {
                    Value::String(text) => json(&*String::from_utf8_lossy(text.as_bytes()), into),
                    other => json(&other.to_string(), into),
                }
                into.push(b':');
                element(value, into, attachments);
            }
            into.push(b'}');
        }
    }
}

fn attach(bytes: &[u8], into: &mut Vec<u8>, attachments: &mut Attachments) {
    display(format_args!("{{\"_placeholder\":true,\"num\":{}}}", attachments.len()), into);
    attachments.push(Bytes::copy_from_slice(bytes));
}
