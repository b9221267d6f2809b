//! Mira, as a process.

use core_app::{App, Exit};
use mira::{Settings, start};

const MESSAGE: &str = r#"{"message_type": "generate_plan", "data": {"name": "Launch", "goals": ["1000 users in week 4"]}}"#;

fn main() -> Exit {
    App::new("mira", env!("CARGO_PKG_VERSION"))
        .with_about("Makes project plans, risk assessments and status reports of briefs.")
        .with_settings::<Settings>()
        .with_hint(format!("curl -s {{app}}/api/messages -d '{MESSAGE}'"))
        .run(start)
}
