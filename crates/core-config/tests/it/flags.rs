//! Feature flags in a configuration.

use core_config::schemars::{self, JsonSchema};
use core_config::{Decision, Flag, Flags, Loader, Reason, Validate};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Settings {
    features: Features,
    flags: Flags,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Features {
    new_planner: Flag,
}

impl Validate for Settings {}

fn told(decision: Decision) -> (bool, &'static str) {
    (decision.is_on(), decision.reason().as_str())
}

/// CFG-11: switches, shares, allow-lists and schedules, in the same file as all else.
#[test]
fn flags_decide_as_they_are_written() {
    let cases = [
        ("true", (true, "static")),
        ("false", (false, "disabled")),
        ("'100%'", (true, "static")),
        ("'0%'", (false, "share")),
        ("{ allow = ['alice'] }", (true, "allowed")),
        ("{ allow = ['bob'] }", (false, "share")),
        ("{ allow = [] }", (false, "share")),
        ("{ enabled = false, share = '25%' }", (false, "disabled")),
        ("{ allow = ['bob'], share = '100%' }", (true, "static")),
        ("{ enabled = false, allow = ['alice'] }", (false, "disabled")),
        ("{ from = '2020-01-01T00:00:00Z' }", (true, "static")),
        ("{ from = '2999-01-01T00:00:00Z', allow = ['alice'] }", (false, "not_yet")),
        ("{ until = '2020-01-01T00:00:00Z' }", (false, "over")),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    for (written, expected) in cases {
        let text = format!("features.new_planner = {written}\nflags.new_planner = {written}\n");
        std::fs::write(&path, text).unwrap();
        let loaded = Loader::<Settings>::new().with_file(&path).load().unwrap();
        let settings = loaded.settings;
        assert_eq!(told(settings.features.new_planner.decide("x", "alice")), expected, "{written}");
        assert_eq!(told(settings.flags.decide("new_planner", "alice")), expected, "{written}");
        let again: Flags =
            serde_json::from_value(serde_json::to_value(&settings.flags).unwrap()).unwrap();
        assert_eq!(again, settings.flags, "{written}");
    }
}

/// CFG-11: a flag that is not there is off, and says why; by a variable it can be set.
#[test]
fn a_flag_never_fails() {
    assert_eq!(told(Flags::default().decide("nothing", "")), (false, "unknown"));
    assert_eq!(told(Flag::default().decide("nothing", "")), (false, "disabled"));
    for (value, expected) in [
        ("50%", Reason::Share),
        ("true", Reason::Static),
        ("False", Reason::Disabled),
        (r#"{"allow": ["y"]}"#, Reason::Allowed),
    ] {
        let variables = [("APP_FEATURES_NEW_PLANNER".to_owned(), value.to_owned())];
        let loaded = Loader::<Settings>::new().with_environment("APP", variables).load().unwrap();
        let reason = loaded.settings.features.new_planner.decide("x", "y").reason();
        assert_eq!(reason, expected, "{value}");
    }
}

/// CFG-4, CFG-11: what is no flag is refused, with what would be one.
#[test]
fn what_is_no_flag_is_refused() {
    let cases = [
        ("features.new_planner=maybe", "a share such as"),
        ("features.new_planner=120%", "a share such as"),
        ("features.new_planner={\"from\": \"tomorrow\"}", "a moment such as"),
        (
            "features.new_planner={\"from\": \"2026-02-01T00:00:00Z\", \"until\": \"2026-01-01T00:00:00Z\"}",
            "`from` must be before `until`",
        ),
        ("features.new_planner={\"shares\": \"1%\"}", "unknown key"),
        ("features.new_plan=true", "did you mean `features.new_planner`?"),
    ];
    for (written, expected) in cases {
        let error = Loader::<Settings>::new().with_set(written).load().unwrap_err().to_string();
        assert!(error.contains(expected), "{written}: {error}");
    }
}

/// CFG-11: the flags of a live configuration, asked through `OpenFeature`'s own types.
#[cfg(feature = "openfeature")]
#[tokio::test]
async fn openfeature_asks_for_flags() {
    use core_config::{FlagProvider, Live};
    use open_feature::{EvaluationContext, EvaluationErrorCode, EvaluationReason, OpenFeature};

    let load = |flag: &str| {
        Loader::<Settings>::new().with_set(format!("flags.new_planner={flag}")).load().unwrap()
    };
    let live = Live::new(load("{\"allow\": [\"alice\"]}"));
    let mut api = OpenFeature::default();
    api.set_provider(FlagProvider::new(live.clone(), |settings| &settings.flags)).await;
    let client = api.create_client();
    let alice = EvaluationContext::default().with_targeting_key("alice");

    let details = client.get_bool_details("new_planner", Some(&alice), None).await.unwrap();
    assert!(details.value);
    assert_eq!(details.reason, Some(EvaluationReason::TargetingMatch));
    assert_eq!(details.variant.as_deref(), Some("on"));

    let code = |result: Result<bool, open_feature::EvaluationError>| result.unwrap_err().code;
    let without_subject = client.get_bool_value("new_planner", None, None).await;
    assert_eq!(code(without_subject), EvaluationErrorCode::TargetingKeyMissing);
    let unknown = client.get_bool_value("nothing", Some(&alice), None).await;
    assert_eq!(code(unknown), EvaluationErrorCode::FlagNotFound);
    let other_type = client.get_int_value("new_planner", Some(&alice), None).await;
    assert_eq!(other_type.unwrap_err().code, EvaluationErrorCode::TypeMismatch);

    live.apply(load("false")).unwrap();
    let details = client.get_bool_details("new_planner", None, None).await.unwrap();
    assert_eq!((details.value, details.reason), (false, Some(EvaluationReason::Disabled)));
}
