//! Families: the series of one metric, told apart by the values of its labels.

mod core;
mod key;

use std::fmt;
use std::sync::Arc;

pub(crate) use self::core::{Collected, Core, Overflow};
use crate::{Counter, Gauge, Histogram, label};

/// The label values of a metric without labels.
pub(crate) const UNLABELLED: [&str; 0] = [];

macro_rules! family {
    ($(#[$doc:meta])* $name:ident, $series:ident) => {
        $(#[$doc])*
        ///
        /// A handle, cheap to clone. Where a series is known beforehand, keep the handle that
        /// [`with`](Self::with) returns.
        #[derive(Clone)]
        pub struct $name<const N: usize>(pub(crate) Arc<Core<$series>>);

        impl<const N: usize> $name<N> {
            /// The series of these values, in the order in which the labels were named.
            ///
            /// One that exists is found without an allocation. A new one is made unless the
            /// metric's label budget is spent: then all values share the overflow series, whose
            /// every label is `__overflow__`. Values are cut at 256 bytes, between characters.
            pub fn with(&self, values: [&str; N]) -> $series {
                self.0.with(&values.map(label::cut))
            }
        }

        impl<const N: usize> fmt::Debug for $name<N> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.0.name()).finish()
            }
        }
    };
}

family! {
    /// Counters of one name, told apart by `N` labels.
    CounterFamily, Counter
}
family! {
    /// Gauges of one name, told apart by `N` labels.
    GaugeFamily, Gauge
}
family! {
    /// Histograms of one name, told apart by `N` labels.
    HistogramFamily, Histogram
}
