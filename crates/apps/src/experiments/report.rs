//! What came of the experiments, for operators and for Prometheus.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use throng_node::{App, Family, FamilyKind, Series};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::tally::Tally;
use super::{Experiments, VARIANTS};

/// The experiments of each app, by the app's name.
pub(super) type All = Arc<[(&'static str, Experiments)]>;

/// Shows the experiments of all apps: `GET /api/admin/experiments` for operators, and metrics.
pub fn install(app: &mut App, of_apps: impl IntoIterator<Item = (&'static str, Experiments)>) {
    let all: All = of_apps.into_iter().collect();
    let counted = all.clone();
    app.metrics(move || families(&counted));
    let (routes, described) =
        OpenApiRouter::new().routes(routes!(experiments)).with_state(all).split_for_parts();
    app.operator_routes(routes).document(described);
}

/// What came of the experiments
///
/// Of each flag, in each app that it concerns: those for whom it is on beside those for whom it is off. Counted since the
/// start of the node, all tenants together.
#[utoipa::path(
    get, path = "/api/admin/experiments", operation_id = "list_experiments", tag = "admin",
    security(("token" = [])),
    responses(
        (status = 200, body = ExperimentsReport, description = "The experiments."),
        (status = "4XX", description = "Refused.")
    )
)]
async fn experiments(State(all): State<All>) -> Json<ExperimentsReport> {
    Json(report(&all))
}

/// What came of the experiments.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExperimentsReport {
    experiments: Vec<Experiment>,
}

/// A flag in an app.
#[derive(Debug, Serialize, ToSchema)]
struct Experiment {
    app: &'static str,
    flag: String,
    /// The queue that it concerns; `null` is all.
    queue: Option<String>,
    /// Everybody has it.
    everyone: bool,
    /// So many of a hundred users have it.
    percent: u8,
    /// All users of these tenants have it.
    tenants: Vec<String>,
    on: Variant,
    off: Variant,
}

/// One half of the users.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Variant {
    /// Times that somebody joined a queue.
    assigned: u64,
    /// Of those, how many were paired.
    paired: u64,
    /// In seconds; `null` when there are none.
    wait_average: Option<f64>,
    /// Rooms that ended, one for each member.
    ended: u64,
    /// In seconds; `null` when there are none.
    length_average: Option<f64>,
    /// Ratings given.
    rated: u64,
    /// From 1 to 5; `null` when there are none.
    rating_average: Option<f64>,
}

impl From<Tally> for Variant {
    fn from(tally: Tally) -> Self {
        Self {
            assigned: tally.assigned,
            paired: tally.waits.count,
            wait_average: tally.waits.mean(),
            ended: tally.lengths.count,
            length_average: tally.lengths.mean(),
            rated: tally.ratings.count,
            rating_average: tally.ratings.mean(),
        }
    }
}

pub(super) fn report(all: &All) -> ExperimentsReport {
    let of_app = |(app, experiments): &(&'static str, Experiments)| {
        let app = *app;
        let one = move |(flag, [off, on]): (super::Flag, [Tally; 2])| Experiment {
            app,
            flag: flag.name,
            queue: flag.queue,
            everyone: flag.audience.everyone,
            percent: flag.audience.percent,
            tenants: flag.audience.tenants.iter().map(ToString::to_string).collect(),
            on: on.into(),
            off: off.into(),
        };
        experiments.tallies().into_iter().map(one).collect::<Vec<_>>()
    };
    ExperimentsReport { experiments: all.iter().flat_map(of_app).collect() }
}

/// Name, help, and where the number is.
type Row = (&'static str, &'static str, fn(&Tally) -> f64);

const ROWS: [Row; 7] = [
    ("throng_experiment_assigned_total", "Times that users joined a queue.", |t| t.assigned as f64),
    ("throng_experiment_paired_total", "Users paired.", |t| t.waits.count as f64),
    ("throng_experiment_wait_seconds_total", "Time that those had waited.", |t| t.waits.total),
    ("throng_experiment_ended_total", "Rooms ended, one for each member.", |t| t.lengths.count as f64),
    ("throng_experiment_length_seconds_total", "Time that those had lasted.", |t| t.lengths.total),
    ("throng_experiment_rated_total", "Ratings given.", |t| t.ratings.count as f64),
    ("throng_experiment_rating_points_total", "The sum of those, each from 1 to 5.", |t| t.ratings.total),
];

/// The metrics; none without flags.
fn families(all: &All) -> Vec<Family> {
    let mut tallies = Vec::new();
    for (app, experiments) in all.iter() {
        for (flag, variants) in experiments.tallies() {
            for (variant, tally) in VARIANTS.into_iter().zip(variants) {
                let labels = vec![
                    ("app", (*app).to_owned()),
                    ("flag", flag.name.clone()),
                    ("variant", variant.to_owned()),
                ];
                tallies.push((labels, tally));
            }
        }
    }
    if tallies.is_empty() {
        return Vec::new();
    }
    let family = |(name, help, read): Row| Family {
        name,
        help,
        kind: FamilyKind::Counter,
        series: tallies
            .iter()
            .map(|(labels, tally)| Series { labels: labels.clone(), value: read(tally) })
            .collect(),
    };
    ROWS.map(family).into()
}
