use core_types::TraceId;

/// Which traces are recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler {
    /// Of a span that has none above, and of all if the one above does not count.
    ratio: f64,
    /// Whether what was decided above counts.
    is_parent_based: bool,
}

impl Sampler {
    /// All traces that begin here, and of the others what was decided upstream.
    pub const PARENT_BASED: Self = Self { ratio: 1.0, is_parent_based: true };

    /// By the names that `OTEL_TRACES_SAMPLER` knows; `None` for another.
    pub(super) fn parse(name: &str, ratio: f64) -> Option<Self> {
        let (is_parent_based, rest) = match name.strip_prefix("parentbased_") {
            Some(rest) => (true, rest),
            None => (false, name),
        };
        let ratio = match rest {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => ratio,
            _ => return None,
        };
        Some(Self { ratio, is_parent_based })
    }

    /// The same answer for a trace wherever it is asked.
    pub(crate) fn samples(self, trace: TraceId, above: Option<bool>) -> bool {
        if let (true, Some(above)) = (self.is_parent_based, above) {
            return above;
        }
        // Of the half that is random by the rules of level 2, as much as a float can tell apart.
        let random = u128::from_be_bytes(trace.to_bytes()) & u128::from(u64::MAX);
        ((random >> 11) as f64) < self.ratio * (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core_types::TraceContext;

    fn trace(low: u64) -> TraceId {
        let header = format!("00-{:016x}{low:016x}-b7ad6b7169203331-01", 1);
        TraceContext::parse(&header, None).unwrap().trace_id()
    }

    /// LOG-9: by OpenTelemetry's names, and of the span above if that is asked for.
    #[test]
    fn spans_are_sampled_by_name() {
        let (low, high) = (trace(1), trace(u64::MAX));
        for (name, root_low, root_high, above) in [
            ("always_on", true, true, false),
            ("always_off", false, false, false),
            ("traceidratio", true, false, false),
            ("parentbased_always_on", true, true, true),
            ("parentbased_always_off", false, false, true),
            ("parentbased_traceidratio", true, false, true),
        ] {
            let sampler = Sampler::parse(name, 0.5).unwrap();
            assert_eq!(sampler.samples(low, None), root_low, "{name}");
            assert_eq!(sampler.samples(high, None), root_high, "{name}");
            for decided in [true, false] {
                let expected = if above { decided } else { root_low };
                assert_eq!(sampler.samples(low, Some(decided)), expected, "{name}");
            }
        }
        assert!(Sampler::parse("jaeger_remote", 1.0).is_none());
        assert_eq!(Sampler::parse("parentbased_always_on", 0.1), Some(Sampler::PARENT_BASED));
    }
}
