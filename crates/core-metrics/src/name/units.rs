/// From a unit to its base unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    multiply: f64,
    divide: f64,
}

impl Scale {
    pub(crate) const ONE: Self = Self { multiply: 1.0, divide: 1.0 };

    const fn times(multiply: f64) -> Self {
        Self { multiply, divide: 1.0 }
    }

    // Not a factor of 0.01: 57.0 / 100.0 is the number nearest to 0.57, and 57.0 * 0.01 is not.
    const fn over(divide: f64) -> Self {
        Self { multiply: 1.0, divide }
    }

    pub(crate) fn apply(self, value: f64) -> f64 {
        value * self.multiply / self.divide
    }
}

/// The base unit that a word stands for. `min` is not among the words: it is a minimum.
pub(crate) fn base_of(word: &str) -> Option<(&'static str, Scale)> {
    Some(match word {
        "ns" | "nanos" | "nanoseconds" => ("seconds", Scale::over(1e9)),
        "us" | "micros" | "microseconds" => ("seconds", Scale::over(1e6)),
        "ms" | "millis" | "milliseconds" => ("seconds", Scale::over(1e3)),
        "s" | "sec" | "secs" | "seconds" => ("seconds", Scale::ONE),
        "minutes" => ("seconds", Scale::times(60.0)),
        "hours" => ("seconds", Scale::times(3600.0)),
        "days" => ("seconds", Scale::times(86400.0)),
        "bytes" => ("bytes", Scale::ONE),
        "kb" | "kilobytes" => ("bytes", Scale::times(1e3)),
        "mb" | "megabytes" => ("bytes", Scale::times(1e6)),
        "gb" | "gigabytes" => ("bytes", Scale::times(1e9)),
        "kib" => ("bytes", Scale::times(1024.0)),
        "mib" => ("bytes", Scale::times(1024.0 * 1024.0)),
        "gib" => ("bytes", Scale::times(1024.0 * 1024.0 * 1024.0)),
        "percent" => ("ratio", Scale::over(100.0)),
        "ratio" => ("ratio", Scale::ONE),
        _ => return None,
    })
}
