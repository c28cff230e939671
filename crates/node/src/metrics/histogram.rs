//! A histogram of durations with fixed bounds, written by one thread and read by any.

use std::time::Duration;

use super::Counter;

/// Upper bounds in seconds; what lies above the last falls into one more bucket.
pub(crate) type Bounds<const N: usize> = [f64; N];

/// How long things took. `N` is the number of bounds.
#[derive(Debug)]
pub(crate) struct Histogram<const N: usize> {
    bounds: &'static Bounds<N>,
    /// What fell into each bucket, not into those below it.
    counts: [Counter; N],
    above: Counter,
    sum_nanos: Counter,
}

/// A reading: of several histograms with the same bounds, their sum.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    /// Upper bounds, and how many values are at most that.
    pub(crate) buckets: Vec<(f64, u64)>,
    pub(crate) count: u64,
    pub(crate) sum_seconds: f64,
}

impl<const N: usize> Histogram<N> {
    pub(crate) fn new(bounds: &'static Bounds<N>) -> Self {
        let counts = std::array::from_fn(|_| Counter::default());
        Self { bounds, counts, above: Counter::default(), sum_nanos: Counter::default() }
    }

    /// Takes a value, on the thread that owns the histogram.
    pub(crate) fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let at = self.bounds.partition_point(|bound| *bound < seconds);
        self.counts.get(at).unwrap_or(&self.above).add(1);
        self.sum_nanos.add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX >> 1));
    }

    /// The sum of several with the same bounds.
    pub(crate) fn sum<'a>(of: impl Iterator<Item = &'a Self> + Clone) -> Reading {
        let (mut buckets, mut count) = (Vec::with_capacity(N), 0);
        let bounds = of.clone().next().map_or(&[0.0; N], |one| one.bounds);
        for (at, bound) in bounds.iter().enumerate() {
            count += of.clone().map(|one| one.counts[at].get()).sum::<u64>();
            buckets.push((*bound, count));
        }
        count += of.clone().map(|one| one.above.get()).sum::<u64>();
        let sum_seconds = of.map(|one| one.sum_nanos.get() as f64 / 1e9).sum();
        Reading { buckets, count, sum_seconds }
    }
}

impl Default for Histogram<9> {
    /// From a tenth of a millisecond to ten seconds.
    fn default() -> Self {
        Self::new(&[0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 1.0, 10.0])
    }
}

impl Reading {
    /// The bound under which this share of the values lies, in seconds; `None` when there are none, or it lies above
    /// the last bound.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let rank = (self.count as f64 * share).ceil() as u64;
        self.buckets.iter().find(|(_, count)| rank > 0 && *count >= rank).map(|(bound, _)| *bound)
    }

    /// The mean in seconds, 0 when there are no values.
    pub(crate) fn mean(&self) -> f64 {
        self.sum_seconds / (self.count as f64).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_at_and_above_their_bound() {
        let (one, two) = (Histogram::new(&[0.001, 0.01]), Histogram::new(&[0.001, 0.01]));
        for micros in [500, 1_000, 1_001] {
            one.observe(Duration::from_micros(micros));
        }
        two.observe(Duration::from_secs(1));
        let reading = Histogram::sum([&one, &two].into_iter());
        assert_eq!((reading.buckets.as_slice(), reading.count), ([(0.001, 2), (0.01, 3)].as_slice(), 4));
        assert!((reading.sum_seconds - 1.002501).abs() < 1e-9);
        assert_eq!([0.5, 0.75, 1.0].map(|share| reading.quantile(share)), [Some(0.001), Some(0.01), None]);
    }

    #[test]
    fn nothing_has_no_quantile() {
        let empty = Histogram::<2>::new(&[0.1, 1.0]);
        let reading = Histogram::sum(std::iter::once(&empty));
        assert_eq!((reading.quantile(0.99), reading.mean()), (None, 0.0));
    }
}
