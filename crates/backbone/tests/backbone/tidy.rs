//! That no store misses a case: each case is in the list, and each store runs the list.

const MAIN: &str = include_str!("main.rs");

const CASES: [(&str, &str); 7] = [
    ("bus", include_str!("cases/bus.rs")),
    ("documents", include_str!("cases/documents.rs")),
    ("histories", include_str!("cases/histories.rs")),
    ("leases", include_str!("cases/leases.rs")),
    ("members", include_str!("cases/members.rs")),
    ("sessions", include_str!("cases/sessions.rs")),
    ("tickets", include_str!("cases/tickets.rs")),
];

/// What runs all of the list on one store; a macro call that is missing here would be a store without cases.
const STORES: [&str; 4] = ["memory", "single", "sentinel", "cluster"];

#[test]
fn every_case_is_listed_and_every_store_runs_the_list() {
    assert_eq!(problems(MAIN), Vec::<String>::new());
}

#[test]
fn what_is_missing_is_found() {
    let case = "one_of_many_gets_the_lease,";
    assert!(MAIN.contains(case));
    assert_eq!(problems(&MAIN.replace(case, "")).len(), 1);
    for store in STORES {
        assert_eq!(problems(&MAIN.replace(&call(store), "")).len(), 1);
    }
}

fn problems(main: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let (_, list) = main.split_once("$then! {").expect("the list of cases");
    let (list, _) = list.split_once("    };").expect("the end of the list");
    for (module, text) in CASES {
        let (_, cases) = list.split_once(&format!("{module}:")).expect("the module is listed");
        let (cases, _) = cases.split_once(';').expect("the end of the module");
        let listed: Vec<&str> = cases.split(',').map(str::trim).collect();
        for line in text.lines() {
            let Some(rest) = line.strip_prefix("pub(crate) async fn ") else { continue };
            let (name, _) = rest.split_once('(').expect("a case has arguments");
            if !listed.contains(&name) {
                problems.push(format!("no store runs {module}::{name}"));
            }
        }
    }
    let missing = STORES.iter().filter(|store| !main.contains(&call(store)));
    problems.extend(missing.map(|store| format!("{store} runs no case")));
    problems
}

fn call(store: &str) -> String {
    format!("with_cases!(suite, {store});")
}
