//! What people may say of themselves and of whom they want to meet, whichever app it is for.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use throng_lobby::{
    Condition, Criteria, Facet, Facets, Few, PROPERTIES_MAX, Properties, PropertyName, Tags, Test, Value,
    Wish,
};
use throng_node::text::clean;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::refusal::{INVALID_PROPERTY, INVALID_TAG};
use super::text;
use crate::request::Failure;
use crate::roulette::media::Media;

/// The queue of whoever names none.
pub(crate) const DEFAULT_QUEUE: &str = "default";
/// Characters of a property's name.
const NAME_CHARS_MAX: usize = 30;
/// Characters of a property's text.
const VALUE_CHARS_MAX: usize = 60;

/// A wish as the hall keeps it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) wish: Arc<Wish>,
    /// What to call with, where people call.
    pub(crate) media: Option<Media>,
}

/// What every `queue:join` may say.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) queue: Option<String>,
    pub(crate) tags: Vec<WrittenTag>,
    pub(crate) language: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) properties: Facts,
    pub(crate) requires: Requires,
    pub(crate) prefers: Prefers,
}

/// The `queue:join` of an app: its own fields, and those of [`About`]. They are written out because serde, which can flatten
/// one struct into another, does not tell whoever sends an unknown field then which ones there are, and takes bytes for text.
macro_rules! join {
    ($(#[$attribute:meta])* { $($(#[$own_attribute:meta])* $own:ident: $type:ty,)* }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub(crate) struct Join {
            $($(#[$own_attribute])* $own: $type,)*
            /// Which queue; `default` when it is missing.
            queue: Option<String>,
            /// Interests, in any case.
            #[serde(default)]
            #[schema(max_items = 5)]
            tags: Vec<$crate::rooms::wish::WrittenTag>,
            /// By ISO 639, such as `en`.
            #[schema(min_length = 2, max_length = 3, pattern = "^[A-Za-z]*$")]
            language: Option<String>,
            /// By ISO 3166 or UN M.49, such as `de` or `150`.
            #[schema(pattern = "^([A-Za-z]{2}|[0-9]{3})$")]
            region: Option<String>,
            /// Facts, such as `{"level": 3}`.
            #[serde(default)]
            properties: $crate::rooms::wish::Facts,
            /// What the other must fulfil.
            #[serde(default)]
            requires: $crate::rooms::wish::Requires,
            /// What the other had better fulfil.
            #[serde(default)]
            prefers: $crate::rooms::wish::Prefers,
        }

        impl Join {
            /// What is not the app's own.
            pub(crate) fn about(self) -> $crate::rooms::wish::About {
                let Self { queue, tags, language, region, properties, requires, prefers, .. } = self;
                $crate::rooms::wish::About { queue, tags, language, region, properties, requires, prefers }
            }
        }
    };
}

pub(crate) use join;

/// A tag as somebody has written it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(min_length = 1, max_length = 24, pattern = "^[A-Za-z0-9]*$")]
pub(crate) struct WrittenTag(String);

/// Facts by their names.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Facts(BTreeMap<String, Property>);

/// A fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, try_from = "Json")]
enum Property {
    Number(f64),
    Text(WrittenValue),
}

/// The text of a property as somebody has written it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(min_length = 1, max_length = 60)]
struct WrittenValue(String);

/// What must hold.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Requires {
    /// Whether the other must speak the same language.
    #[serde(default)]
    language: bool,
    /// Whether the other must be in the same region.
    #[serde(default)]
    region: bool,
    /// What must hold of the other's facts.
    #[serde(default)]
    properties: Demands,
}

/// What had better hold.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Prefers {
    /// What had better hold of the other's facts.
    #[serde(default)]
    properties: Demands,
}

/// What is asked of facts, by their names.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Demands(BTreeMap<String, Demand>);

/// What is asked of a fact: a text or number that it is, or bounds that it lies in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, try_from = "Json")]
enum Demand {
    Number(f64),
    Text(WrittenValue),
    Between(Bounds),
}

/// Bounds of a number, both included; a missing one does not bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Bounds {
    min: Option<f64>,
    max: Option<f64>,
}

impl PartialSchema for Facts {
    fn schema() -> RefOr<Schema> {
        by_name(Property::schema())
    }
}

impl ToSchema for Facts {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Property::schemas(schemas);
    }
}

impl PartialSchema for Demands {
    fn schema() -> RefOr<Schema> {
        by_name(Demand::schema())
    }
}

impl ToSchema for Demands {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Demand::schemas(schemas);
    }
}

/// As many of these as somebody may have properties.
fn by_name(each: RefOr<Schema>) -> RefOr<Schema> {
    let name = ObjectBuilder::new().schema_type(Type::String);
    let name = name.min_length(Some(1)).max_length(Some(NAME_CHARS_MAX)).pattern(Some("^[A-Za-z0-9_-]*$"));
    let all = ObjectBuilder::new().property_names(Some(name)).max_properties(Some(PROPERTIES_MAX));
    all.additional_properties(Some(each)).into()
}

/// Untagged alone, serde would not say what is wrong with it.
impl TryFrom<Json> for Property {
    type Error = serde_json::Error;

    fn try_from(said: Json) -> Result<Self, serde_json::Error> {
        match said {
            Json::String(text) => Ok(Self::Text(WrittenValue(text))),
            number => serde_json::from_value(number).map(Self::Number),
        }
    }
}

/// As with [`Property`].
impl TryFrom<Json> for Demand {
    type Error = serde_json::Error;

    fn try_from(asked: Json) -> Result<Self, serde_json::Error> {
        match asked {
            Json::String(text) => Ok(Self::Text(WrittenValue(text))),
            Json::Object(_) => serde_json::from_value(asked).map(Self::Between),
            number => serde_json::from_value(number).map(Self::Number),
        }
    }
}

impl About {
    /// The wish that is made of this alone.
    ///
    /// # Errors
    /// `invalid_tag`, `invalid_language`, `invalid_region`, `invalid_property`.
    pub(crate) fn wish(self) -> Result<Wish, Failure> {
        let tags = self.tags.iter().map(|tag| text::tag(&tag.0)).collect::<Result<Vec<_>, _>>()?;
        let facets = [(Facet::Language, self.requires.language), (Facet::Region, self.requires.region)];
        let facets: Facets = facets.into_iter().filter(|(_, on)| *on).map(|(facet, _)| facet).collect();
        Ok(Wish {
            tags: Tags::new(tags).ok_or(INVALID_TAG)?,
            language: self.language.as_deref().map(text::language).transpose()?,
            region: self.region.as_deref().map(text::region).transpose()?,
            properties: properties(self.properties)?,
            requires: Criteria { facets, conditions: conditions(self.requires.properties)? },
            prefers: Criteria { facets: Facets::NONE, conditions: conditions(self.prefers.properties)? },
            ..Wish::new(self.queue.as_deref().unwrap_or(DEFAULT_QUEUE))
        })
    }
}

fn properties(said: Facts) -> Result<Properties, Failure> {
    let of = |(name, property): (String, Property)| {
        let value = match property {
            Property::Number(number) => Value::Number(number),
            Property::Text(WrittenValue(text)) => Value::Text(value(&text)?),
        };
        Ok((self::name(&name)?, value))
    };
    let all = said.0.into_iter().map(of).collect::<Result<Vec<_>, Failure>>()?;
    Properties::new(all).ok_or(INVALID_PROPERTY)
}

fn conditions<const MAX: usize>(asked: Demands) -> Result<Few<Condition, MAX>, Failure> {
    let of = |(name, demand): (String, Demand)| {
        let test = match demand {
            Demand::Number(number) => Test::Between { min: number, max: number },
            Demand::Text(WrittenValue(text)) => Test::Equals(value(&text)?),
            Demand::Between(Bounds { min: None, max: None }) => return Err(INVALID_PROPERTY),
            Demand::Between(Bounds { min, max }) => {
                let (min, max) = (min.unwrap_or(f64::MIN), max.unwrap_or(f64::MAX));
                if min > max {
                    return Err(INVALID_PROPERTY);
                }
                Test::Between { min, max }
            }
        };
        Ok(Condition { property: self::name(&name)?, test })
    };
    let all = asked.0.into_iter().map(of).collect::<Result<Vec<_>, Failure>>()?;
    Few::new(all).ok_or(INVALID_PROPERTY)
}

fn name(name: &str) -> Result<PropertyName, Failure> {
    let good = (1..=NAME_CHARS_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if good { Ok(name.into()) } else { Err(INVALID_PROPERTY) }
}

fn value(text: &str) -> Result<Arc<str>, Failure> {
    clean(text, VALUE_CHARS_MAX).map(Into::into).map_err(|_| INVALID_PROPERTY)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::roulette;

    fn wish(mut about: Json) -> Result<Wish, &'static str> {
        about["media"] = json!("text");
        let join: roulette::Join = serde_json::from_value(about).unwrap();
        join.about().wish().map_err(|failure| failure.code)
    }

    #[test]
    fn a_wish_says_what_was_said() {
        let wish = wish(json!({
            "queue": "fast", "tags": ["Tea", "tea", "art"], "language": "EN", "region": "de",
            "properties": {"level": 3, "team": " red "},
            "requires": {"language": true, "properties": {"level": {"min": 2}, "team": "red"}},
            "prefers": {"properties": {"level": 3}},
        }))
        .unwrap();
        assert_eq!(wish.queue.as_str(), "fast");
        assert_eq!(wish.tags.iter().map(throng_lobby::Tag::as_str).collect::<Vec<_>>(), ["art", "tea"]);
        assert_eq!((wish.language, wish.region), (Some("en".into()), Some("de".into())));
        assert_eq!(wish.properties.get(&"team".into()), Some(&Value::Text("red".into())));
        assert_eq!(wish.requires.facets, Facets::from([Facet::Language]));
        let between = |property: &str, min, max| Condition {
            property: property.into(),
            test: Test::Between { min, max },
        };
        let red = Condition { property: "team".into(), test: Test::Equals("red".into()) };
        assert_eq!(wish.requires.conditions[..], [between("level", 2.0, f64::MAX), red]);
        assert_eq!(wish.prefers.conditions[..], [between("level", 3.0, 3.0)]);
    }

    #[test]
    fn whoever_says_nothing_meets_anybody() {
        assert_eq!(wish(json!({})), Ok(Wish::new("default")));
    }

    #[test]
    fn what_is_wrong_has_a_name() {
        let nine: BTreeMap<String, u8> = (0..9).map(|number| (format!("p{number}"), number)).collect();
        for (about, code) in [
            (json!({"tags": ["rock'n'roll"]}), "invalid_tag"),
            (json!({"tags": ["1", "2", "3", "4", "5", "6"]}), "invalid_tag"),
            (json!({"language": "english"}), "invalid_language"),
            (json!({"region": "?"}), "invalid_region"),
            (json!({"properties": nine}), "invalid_property"),
            (json!({"properties": {"a b": 1}}), "invalid_property"),
            (json!({"properties": {"": 1}}), "invalid_property"),
            (json!({"properties": {"a": ""}}), "invalid_property"),
            (json!({"properties": {"a": "x".repeat(61)}}), "invalid_property"),
            (json!({"requires": {"properties": {"a": {}}}}), "invalid_property"),
            (json!({"requires": {"properties": {"a": {"min": 2, "max": 1}}}}), "invalid_property"),
            (json!({"prefers": {"properties": {"a": ""}}}), "invalid_property"),
        ] {
            assert_eq!(wish(about.clone()), Err(code), "{about}");
        }
    }
}
