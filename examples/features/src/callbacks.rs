//! What a service registers to hear of a reload, a rotation and the stop.

use std::sync::Arc;

use core_app::config::Commit;
use core_app::secrets::Rotation;
use core_app::shutdown::Priority;
use core_app::{BoxError, Host};
use tokio::sync::Notify;
use tracing::info;

use crate::Settings;

/// Tells the rest of this program what was heard.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) reload: Notify,
    pub(crate) rotation: Notify,
}

/// A subscriber may refuse a change: what can fail is done first, and what is returned is done when
/// everybody has agreed.
pub(crate) fn on_reload(host: &Host<Settings>, heard: &Arc<Heard>) {
    let heard = Arc::clone(heard);
    host.live().subscribe_to(
        "greeting",
        |settings| &settings.app.greeting,
        move |old, new| {
            if new.is_empty() {
                return Err("a greeting must say something".into());
            }
            let (heard, old, new) = (Arc::clone(&heard), old.clone(), new.clone());
            Ok(Commit::new(move || {
                info!(old, new, "the greeting changes");
                heard.reload.notify_one();
            }))
        },
    );
}

/// The old value and the new one are at hand, and neither can be printed by accident.
pub(crate) fn on_rotation(host: &Host<Settings>, heard: &Arc<Heard>) -> Result<(), BoxError> {
    let callback = |rotation: &Rotation| {
        info!(?rotation, "the password was rotated");
        Ok(())
    };
    let subscription = host.secrets().on_rotation("database", Some("password"), callback);
    // Settings that refer to it change by themselves, together.
    let heard = Arc::clone(heard);
    host.live().subscribe_to(
        "database",
        |settings| &settings.app.database_url,
        move |_, _| {
            let heard = Arc::clone(&heard);
            Ok(Commit::new(move || {
                info!("the database's address changes");
                heard.rotation.notify_one();
            }))
        },
    );
    // Held until the stop, for dropping it ends it.
    host.on_stop("end_subscription", Priority::LAST, || async move {
        drop(subscription);
        Ok(())
    })?;
    Ok(())
}

/// Lower priorities come first, whatever the order of registration.
pub(crate) fn on_stop(host: &Host<Settings>) -> Result<(), BoxError> {
    host.on_stop("close_db", Priority::HIGH, || async {
        info!("closes the database");
        Ok(())
    })?;
    host.on_stop("drain_agents", Priority::CRITICAL, || async {
        info!("drains the agents");
        Ok(())
    })?;
    Ok(())
}
