#![doc = include_str!("../README.md")]

mod buckets;
mod build_info;
mod by_name;
mod config;
mod counter;
mod default;
mod error;
mod event;
mod exposition;
mod family;
mod gauge;
mod histogram;
mod label;
mod metrics;
mod model;
mod name;
mod names;
mod process;
mod refusals;
mod samples;
mod series;
mod snapshot;
mod timer;

pub use self::{
    buckets::Buckets,
    config::Config,
    counter::Counter,
    default::{install_default, record_counter, record_gauge, record_histogram, timer},
    error::Error,
    event::Event,
    family::{CounterFamily, GaugeFamily, HistogramFamily},
    gauge::Gauge,
    histogram::Histogram,
    metrics::Metrics,
    samples::Samples,
    snapshot::{HistogramSnapshot, Snapshot, Value},
    timer::Timer,
};
