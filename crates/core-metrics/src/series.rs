use prometheus::proto::Metric;

use crate::name::{Kind, Scale};

/// One series of a metric: a handle that is cheap to clone, on numbers that all clones share.
pub(crate) trait Series: Clone + Send + Sync + 'static {
    const KIND: Kind;
    /// What all series of a metric have in common, beside the name.
    type Shape: Clone + PartialEq + Send + Sync + 'static;

    fn new(shape: &Self::Shape) -> Self;
    /// The present value, in the unit that is exposed.
    fn read(&self, scale: Scale) -> Metric;
}
