//! What somebody asks of the other, and the properties that it is asked of.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::facet::Facets;
use crate::few::Few;
use crate::names::PropertyName;

/// The most properties of a wish, and the most conditions of what it asks.
pub const PROPERTIES_MAX: usize = 8;

/// What a property says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// A text.
    Text(Arc<str>),
    /// A number.
    Number(f64),
}

/// The properties of a ticket.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Properties(Few<(PropertyName, Value), PROPERTIES_MAX>);

impl Properties {
    /// These properties; of two with one name the first counts. Gives nothing when they are more than
    /// [`PROPERTIES_MAX`].
    pub fn new(properties: impl IntoIterator<Item = (PropertyName, Value)>) -> Option<Self> {
        Few::new(properties.into_iter().collect::<Vec<_>>()).map(Self)
    }

    /// What the property says, if there is one.
    pub fn get(&self, name: &PropertyName) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

/// What is asked of the other.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Criteria {
    /// What must be shared. Only what the asker has itself is asked: somebody without a language asks for none.
    pub facets: Facets,
    /// What must hold of the other's properties.
    pub conditions: Few<Condition, PROPERTIES_MAX>,
}

/// Something that holds of a property or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// Of which. Nothing holds of a property that is not there.
    pub property: PropertyName,
    /// What.
    pub test: Test,
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Test {
    /// This text.
    Equals(Arc<str>),
    /// A number from here to there, both included.
    Between {
        /// The least.
        min: f64,
        /// The greatest.
        max: f64,
    },
}

impl Condition {
    /// Whether it holds.
    pub fn holds(&self, properties: &Properties) -> bool {
        match (&self.test, properties.get(&self.property)) {
            (Test::Equals(text), Some(Value::Text(value))) => text == value,
            (Test::Between { min, max }, Some(Value::Number(value))) => (min..=max).contains(&value),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(test: Test, value: Option<Value>, expect: bool) {
        let properties = Properties::new(value.map(|value| (PropertyName::from("level"), value))).unwrap();
        let condition = Condition { property: PropertyName::from("level"), test };
        assert_eq!(condition.holds(&properties), expect);
    }

    #[test]
    fn conditions_hold_of_what_is_there_and_fits() {
        let text = |text: &str| Some(Value::Text(text.into()));
        check(Test::Equals("pro".into()), text("pro"), true);
        check(Test::Equals("pro".into()), text("new"), false);
        check(Test::Equals("pro".into()), Some(Value::Number(1.0)), false);
        check(Test::Equals("pro".into()), None, false);
        check(Test::Between { min: 1.0, max: 2.0 }, Some(Value::Number(2.0)), true);
        check(Test::Between { min: 1.0, max: 2.0 }, Some(Value::Number(2.1)), false);
        check(Test::Between { min: 1.0, max: 2.0 }, Some(Value::Number(f64::NAN)), false);
        check(Test::Between { min: 1.0, max: 2.0 }, text("1.5"), false);
    }
}
