//! A schema as a person would write it: its type, its fields and their limits, with what it refers to in its place.

use serde_json::Value;

/// A schema of a document in words; names and values stand between backquotes. A lone minimum of 0 is not said, nor a field
/// that can have only one value.
pub fn in_words(document: &Value, schema: &Value) -> String {
    let schema = resolved(document, schema);
    for (parts, between) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", ", ")] {
        if let Some(parts) = schema[parts].as_array() {
            let all = parts.iter().map(|part| in_words(document, part)).filter(|words| !words.is_empty());
            return all.collect::<Vec<_>>().join(between);
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(|value| format!("`{}`", text(value))).collect::<Vec<_>>().join(", ");
    }
    let kinds: Vec<_> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().map(text).collect(),
        kind => vec![text(kind)],
    };
    let kinds = kinds.into_iter().map(|kind| match kind {
        "array" => list(document, schema),
        "object" if schema["additionalProperties"].is_object() => by_name(document, schema),
        "object" => fields(document, schema),
        kind => kind.to_owned(),
    });
    kinds.collect::<Vec<_>>().join(" or ") + &limits(schema)
}

/// What a reference refers to; a schema that is none is itself.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let target = schema["$ref"].as_str().and_then(|reference| document.pointer(reference.strip_prefix('#')?));
    target.map_or(schema, |target| resolved(document, target))
}

fn list(document: &Value, schema: &Value) -> String {
    let items = in_words(document, &schema["items"]);
    let of = |between: &str| if items.is_empty() { String::new() } else { format!("{between}{items}") };
    match schema["maxItems"].as_u64() {
        Some(max) => format!("list of at most {max}{}", of(": ")),
        None => format!("list{}", of(" of ")),
    }
}

fn by_name(document: &Value, schema: &Value) -> String {
    let max = schema["maxProperties"].as_u64().map(|max| format!("at most {max} ")).unwrap_or_default();
    let names = limits(resolved(document, &schema["propertyNames"]));
    format!("{max}by name{names}: {}", in_words(document, &schema["additionalProperties"]))
}

fn fields(document: &Value, schema: &Value) -> String {
    let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
    let fields = schema["properties"].as_object().into_iter().flatten();
    let fields = fields.filter(|(_, field)| field["enum"].as_array().is_none_or(|values| values.len() > 1));
    let fields = fields.map(|(name, field)| {
        let may = if required.iter().any(|one| one == name) { "" } else { "?" };
        format!("`{name}`{may} ({})", in_words(document, field))
    });
    fields.collect::<Vec<_>>().join(", ")
}

/// How long a text or how great a number may be, and what a text has to match.
fn limits(schema: &Value) -> String {
    let range = |min: &str, max: &str, what: &str| match (schema[min].as_f64(), schema[max].as_f64()) {
        (None, None) => String::new(),
        (Some(0.0), None) => String::new(),
        (Some(min), None) => format!(", at least {min}{what}"),
        (None, Some(max)) => format!(", at most {max}{what}"),
        (Some(min), Some(max)) => format!(", {min} to {max}{what}"),
    };
    let pattern = schema["pattern"].as_str().map(|pattern| format!(", matching `{pattern}`"));
    range("minLength", "maxLength", " characters")
        + &range("minimum", "maximum", "")
        + &pattern.unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(schema: Value, expect: &str) {
        let document = json!({"Page": {"type": "object", "required": ["a"], "properties": {
            "a": {"type": "string"}, "b": {"type": ["integer", "null"], "minimum": 1, "maximum": 5},
            "ok": {"type": "boolean", "enum": [true]},
        }}});
        assert_eq!(in_words(&document, &schema), expect, "{schema}");
    }

    #[test]
    fn types_and_fields_are_told() {
        check(json!({"$ref": "#/Page"}), "`a` (string), `b`? (integer or null, 1 to 5)");
        check(json!({"oneOf": [{"type": "null"}, {"enum": ["on", "off"]}]}), "null or `on`, `off`");
        check(
            json!({"allOf": [{"$ref": "#/Page"}, {"type": "object"}]}),
            "`a` (string), `b`? (integer or null, 1 to 5)",
        );
        check(json!({"type": "array", "items": {"type": "number"}}), "list of number");
        check(json!({"type": "array", "items": {}}), "list");
        check(json!({"type": "object", "additionalProperties": {"type": "number"}}), "by name: number");
        check(json!({}), "");
    }

    #[test]
    fn limits_are_told() {
        check(json!({"type": "string", "minLength": 1, "maxLength": 9}), "string, 1 to 9 characters");
        check(json!({"type": "string", "maxLength": 9}), "string, at most 9 characters");
        check(
            json!({"type": "string", "minLength": 1, "pattern": "^v"}),
            "string, at least 1 characters, matching `^v`",
        );
        check(json!({"type": "integer", "minimum": 0}), "integer");
        check(
            json!({"type": "array", "maxItems": 5, "items": {"type": "integer"}}),
            "list of at most 5: integer",
        );
        check(
            json!({"type": "object", "maxProperties": 8, "propertyNames": {"maxLength": 3},
                "additionalProperties": {"type": "number"}}),
            "at most 8 by name, at most 3 characters: number",
        );
    }
}
