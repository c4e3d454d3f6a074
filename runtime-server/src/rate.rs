//! Token buckets: so many at once, so many a second on average.

use std::collections::HashMap;
use std::net::IpAddr;

use parking_lot::Mutex;

/// How much, and how fast it comes back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) per_second: u32,
    pub(crate) burst: u32,
}

/// One caller's tokens, counted in thousandths so that milliseconds need no fractions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    millitokens: u64,
    filled_at_ms: u64,
}

/// Whether a caller may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allowed,
    Refused,
}

impl Bucket {
    pub(crate) fn full(rate: Rate, now_ms: u64) -> Self {
        Self { millitokens: u64::from(rate.burst) * 1000, filled_at_ms: now_ms }
    }

    /// Takes so many tokens, when they are there.
    pub(crate) fn take(&mut self, tokens: usize, rate: Rate, now_ms: u64) -> Verdict {
        self.fill(rate, now_ms);
        match self.millitokens.checked_sub(1000 * tokens as u64) {
            Some(left) => {
                self.millitokens = left;
                Verdict::Allowed
            }
            None => Verdict::Refused,
        }
    }

    fn fill(&mut self, rate: Rate, now_ms: u64) {
        let gained = now_ms.saturating_sub(self.filled_at_ms).saturating_mul(u64::from(rate.per_second));
        self.millitokens = self.millitokens.saturating_add(gained).min(u64::from(rate.burst) * 1000);
        self.filled_at_ms = now_ms;
    }

    fn is_full(&self, rate: Rate) -> bool {
        self.millitokens >= u64::from(rate.burst) * 1000
    }
}

/// A bucket for each address that was seen lately.
#[derive(Debug)]
pub(crate) struct Addresses {
    rate: Rate,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

impl Addresses {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, buckets: Mutex::default() }
    }

    pub(crate) fn take(&self, address: IpAddr, now_ms: u64) -> Verdict {
        let mut buckets = self.buckets.lock();
        buckets.entry(network(address)).or_insert_with(|| Bucket::full(self.rate, now_ms)).take(1, self.rate, now_ms)
    }

    /// Whether an address has no token left.
    pub(crate) fn is_empty(&self, address: IpAddr, now_ms: u64) -> bool {
        let mut buckets = self.buckets.lock();
        buckets.get_mut(&network(address)).is_some_and(|bucket| {
            bucket.fill(self.rate, now_ms);
            bucket.millitokens < 1000
        })
    }

    /// Forgets the addresses whose buckets are full again.
    pub(crate) fn sweep(&self, now_ms: u64) {
        self.buckets.lock().retain(|_, bucket| {
            bucket.fill(self.rate, now_ms);
            !bucket.is_full(self.rate)
        });
    }
}

/// What counts as one address: of IPv6 the first 64 bits, since one subscriber has all of the rest.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let prefix = u128::from(v6) & !u128::from(u64::MAX);
            IpAddr::V6(prefix.into())
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_the_average() {
        let rate = Rate { per_second: 10, burst: 3 };
        let mut bucket = Bucket::full(rate, 0);
        let taken =
            |bucket: &mut Bucket, now| (0..10).filter(|_| bucket.take(1, rate, now) == Verdict::Allowed).count();
        assert_eq!(taken(&mut bucket, 0), 3);
        assert_eq!(taken(&mut bucket, 99), 0);
        assert_eq!(taken(&mut bucket, 100), 1);
        assert_eq!(taken(&mut bucket, 100_000), 3);
    }

    #[test]
    fn addresses_are_counted_apart_and_forgotten() {
        let addresses = Addresses::new(Rate { per_second: 1, burst: 1 });
        let [a, b, c] = ["10.0.0.1", "2001:db8::1", "2001:db8::2"].map(|ip| ip.parse::<IpAddr>().expect("an address"));
        assert_eq!(addresses.take(a, 0), Verdict::Allowed);
        assert_eq!(addresses.take(a, 0), Verdict::Refused);
        assert_eq!(addresses.take(b, 0), Verdict::Allowed);
        assert_eq!(addresses.take(c, 0), Verdict::Refused);
        addresses.sweep(5_000);
        assert!(addresses.buckets.lock().is_empty());
    }
}
