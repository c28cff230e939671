//! Names of people and things as types of their own, so that none is taken for another. They are compared as they are:
//! cleaning what people typed is up to whoever makes them.

use std::fmt;
use std::sync::Arc;

/// A name that is cheap to clone.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text of the name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<T: Into<Arc<str>>> From<T> for $name {
            fn from(text: T) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
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
