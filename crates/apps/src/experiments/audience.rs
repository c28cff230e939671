//! For whom a flag is on. Pure: the same user has the same answer on every node, at every start, for as long as the flag
//! is called the same, and growing the share keeps all who are in it already.

use aws_lc_rs::digest;
use throng_node::TenantName;

/// For whom a flag is on: whoever any of these names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audience {
    /// Everybody.
    pub everyone: bool,
    /// So many of a hundred users, always the same ones; 100 and more is everybody.
    pub percent: u8,
    /// All users of these tenants.
    pub tenants: Vec<TenantName>,
}

impl Audience {
    /// Whether a user is in it.
    pub(super) fn holds(&self, flag: &str, tenant: &TenantName, user: &str) -> bool {
        self.everyone || self.tenants.contains(tenant) || percentile(flag, tenant, user) < self.percent
    }
}

/// Where a user stands among all, from 0 to 99. Every flag shuffles them anew, so that the first of one experiment are not
/// the first of all.
fn percentile(flag: &str, tenant: &str, user: &str) -> u8 {
    // Neither a flag's name nor a tenant's has a line break.
    let text = format!("{flag}\n{tenant}\n{user}");
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    let number = digest.as_ref().iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    u8::try_from(number % 100).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(name: &str) -> TenantName {
        TenantName::parse(name).unwrap()
    }

    fn percent(percent: u8) -> Audience {
        Audience { percent, ..Audience::default() }
    }

    /// The first 10,000 users who are in an audience of a flag.
    fn held(audience: &Audience, flag: &str) -> Vec<u32> {
        (0..10_000).filter(|user| audience.holds(flag, &tenant("acme"), &format!("user {user}"))).collect()
    }

    #[test]
    fn a_share_is_as_large_as_it_says() {
        for share in [0, 1, 10, 50, 99, 100] {
            let (count, expect) = (held(&percent(share), "quick").len() as f64, 100.0 * f64::from(share));
            // Four standard deviations of a fair draw.
            let spread = 4.0 * (expect * (1.0 - f64::from(share) / 100.0)).sqrt();
            assert!((count - expect).abs() <= spread, "{share} %: {count}");
        }
    }

    #[test]
    fn who_is_in_stays_in_while_the_share_grows() {
        let (few, more) = (held(&percent(10), "quick"), held(&percent(30), "quick"));
        assert!(few.iter().all(|user| more.contains(user)));
        // Nodes of several versions must agree on it: SHA-256 of "quick\nacme\nuser 24" and so on, computed elsewhere.
        assert_eq!(few[..5], [0, 24, 38, 39, 50]);
    }

    #[test]
    fn flags_pick_apart_from_each_other() {
        let (one, other) = (held(&percent(50), "one"), held(&percent(50), "other"));
        let both = one.iter().filter(|user| other.contains(user)).count();
        assert!((2_200..2_800).contains(&both), "{both}");
    }

    #[test]
    fn tenants_and_everybody_are_whole() {
        let of_acme = Audience { tenants: vec![tenant("acme")], ..Audience::default() };
        assert!(of_acme.holds("f", &tenant("acme"), "ada") && !of_acme.holds("f", &tenant("other"), "ada"));
        let all = Audience { everyone: true, ..Audience::default() };
        assert!(
            all.holds("f", &tenant("other"), "ada")
                && !Audience::default().holds("f", &tenant("acme"), "ada")
        );
    }
}
