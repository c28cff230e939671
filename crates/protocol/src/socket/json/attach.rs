//! Puts attachments in the place of their placeholders, `{"_placeholder":true,"num":0}`.

use rmpv::Value;

use crate::socket::packet::{Limits, PacketError};

/// Replaces every placeholder. One that names no attachment is an error; naming one twice is not, but every copy
/// counts towards the limit on bytes, so that a small packet cannot grow without bound.
pub(super) fn fill(args: &mut [Value], attachments: &[Vec<u8>], limits: &Limits) -> Result<(), PacketError> {
    let mut fill = Fill { attachments, bytes_left: limits.attachment_bytes_max };
    args.iter_mut().try_for_each(|arg| fill.value(arg))
}

struct Fill<'a> {
    attachments: &'a [Vec<u8>],
    bytes_left: usize,
}

impl Fill<'_> {
    /// Recurses as deep as the text was checked to be.
    fn value(&mut self, value: &mut Value) -> Result<(), PacketError> {
        match value {
            Value::Array(items) => items.iter_mut().try_for_each(|item| self.value(item)),
            Value::Map(entries) if field(entries, "_placeholder") == Some(&Value::Boolean(true)) => {
                let attachment = field(entries, "num")
                    .and_then(Value::as_u64)
                    .and_then(|num| self.attachments.get(usize::try_from(num).ok()?))
                    .ok_or(PacketError::Attachments)?;
                self.bytes_left =
                    self.bytes_left.checked_sub(attachment.len()).ok_or(PacketError::AttachmentsTooLarge)?;
                *value = Value::Binary(attachment.clone());
                Ok(())
            }
            Value::Map(entries) => entries.iter_mut().try_for_each(|(_, value)| self.value(value)),
            _ => Ok(()),
        }
    }
}

/// The value of a key; the last one counts where a key is repeated, as in JavaScript.
fn field<'a>(entries: &'a [(Value, Value)], name: &str) -> Option<&'a Value> {
    entries.iter().rev().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value)
}
