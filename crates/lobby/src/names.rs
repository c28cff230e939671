//! Names of people and things as types of their own, so that none is taken for another. They are compared as they are:
//! cleaning what people typed is up to whoever makes them.
//!
//! A name knows its number: equal names have the same, and different ones have different ones but for one case in 10^19,
//! which nobody can bring about who does not know the key that the process has drawn. Deciding compares numbers.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{BuildHasher as _, Hash, Hasher, RandomState};
use std::num::NonZero;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The number of a name.
pub(crate) type Number = NonZero<u64>;

static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

fn number_of(text: &str) -> Number {
    NonZero::new(KEY.hash_one(text)).unwrap_or(NonZero::<u64>::MIN)
}

/// A name that is cheap to clone, to compare and to hash.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            number: Number,
            text: Arc<str>,
        }

        impl $name {
            /// The text of the name.
            pub fn as_str(&self) -> &str {
                &self.text
            }

            #[allow(dead_code, reason = "not every kind of name is compared by number")]
            pub(crate) fn number(&self) -> Number {
                self.number
            }
        }

        impl<T: Into<Arc<str>>> From<T> for $name {
            fn from(text: T) -> Self {
                let text = text.into();
                Self { number: number_of(&text), text }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Arc::<str>::deserialize(deserializer).map(Self::from)
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.number == other.number && self.text == other.text
            }
        }

        impl Eq for $name {}

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        /// By text.
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.text.cmp(&other.text)
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                state.write_u64(self.number.get());
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_tuple(stringify!($name)).field(&self.text).finish()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.text)
            }
        }
    };
}

name! {
    /// A person. Whoever has the same name is the same person.
    User
}
name! {
    /// A queue of the lobby. People of different queues never meet.
    QueueName
}
name! {
    /// What two people are to talk about.
    Topic
}
name! {
    /// An interest.
    Tag
}
name! {
    /// A language, such as `en`.
    Language
}
name! {
    /// A part of the world, such as `de`.
    Region
}
name! {
    /// A property of a ticket, such as `level`.
    PropertyName
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_have_equal_numbers() {
        assert_eq!(Tag::from("tea").number(), Tag::from(String::from("tea")).number());
        assert_ne!(Tag::from("tea").number(), Tag::from("art").number());
        assert!(Tag::from("art") < Tag::from("tea"));
        assert_eq!(format!("{0} {0:?}", Tag::from("tea")), "tea Tag(\"tea\")");
    }
}
