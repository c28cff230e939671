//! The shape of every answer to a request: `{ok: true, ...}` or `{ok: false, error: {code, message}}`.

use serde::Serialize;
use utoipa::openapi::{AllOfBuilder, ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Failure {
    /// A stable code for programs.
    pub(crate) code: &'static str,
    /// A sentence for people.
    pub(crate) message: &'static str,
}

/// What every request is acknowledged with.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Answer<T> {
    /// It was done.
    Done(Success<T>),
    /// It was not.
    Refused(Refused),
}

/// `{ok: true}`, and what there is to add.
#[derive(Serialize)]
pub(crate) struct Success<T> {
    ok: bool,
    #[serde(flatten)]
    with: T,
}

/// `{ok: false, error}`.
#[derive(Serialize)]
pub(crate) struct Refused {
    ok: bool,
    error: Failure,
}

/// Success with nothing to add.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Done {}

/// What is sent for a result.
pub(crate) fn answer<R>(result: Result<R, Failure>) -> Answer<R> {
    match result {
        Ok(with) => Answer::Done(Success { ok: true, with }),
        Err(error) => Answer::Refused(Refused { ok: false, error }),
    }
}

/// Derived, it would refer to `T` without bringing it along.
impl<T: ToSchema> PartialSchema for Success<T> {
    fn schema() -> RefOr<Schema> {
        let yes = ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some([true]));
        let ok = ObjectBuilder::new().property("ok", yes).required("ok");
        AllOfBuilder::new().item(ok).item(T::schema()).into()
    }
}

impl<T: ToSchema> ToSchema for Success<T> {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}
