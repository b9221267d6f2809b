//! SEC-1: environment variables.

use core_secrets::backend::Environment;
use core_secrets::{Config, Error, Secrets};

use crate::support::shown;

fn secrets(variables: &[(&str, &str)]) -> Secrets {
    let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    Secrets::builder(Config::default())
        .with_backend("env", Environment::new(variables))
        .build()
        .unwrap()
}

#[test]
fn names_are_made_from_path_and_key() {
    for (path, key, variable) in [
        ("API_KEY", None, "API_KEY"),
        ("api-key", None, "API_KEY"),
        ("github-credentials", Some("token"), "GITHUB_CREDENTIALS_TOKEN"),
        ("jira-credentials", Some("api_token"), "JIRA_CREDENTIALS_API_TOKEN"),
        ("app/database", Some("password"), "APP_DATABASE_PASSWORD"),
        ("tls.example", Some("ca.pem"), "TLS_EXAMPLE_CA_PEM"),
        ("v2", Some("2"), "V2_2"),
    ] {
        assert_eq!(Environment::variable(path, key), variable);
    }
}

/// SEC-1: the default backend, with the references of the founding documents.
#[tokio::test]
async fn references_reach_variables() {
    let secrets = secrets(&[("API_KEY", "k"), ("GITHUB_CREDENTIALS_TOKEN", "t\n")]);
    assert_eq!(shown(&secrets.get("API_KEY", None).await.unwrap()), "k");
    let reference = "secret://github-credentials:token".parse().unwrap();
    assert_eq!(shown(&secrets.resolve(&reference).await.unwrap()), "t\n", "taken as it is");
    let reference = "secret://env/github-credentials:token".parse().unwrap();
    assert_eq!(shown(&secrets.resolve(&reference).await.unwrap()), "t\n");
}

#[tokio::test]
async fn a_variable_set_to_nothing_is_not_set() {
    let secrets = secrets(&[("API_KEY", "")]);
    let error = secrets.get("API_KEY", None).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }));
    assert_eq!(error.to_string(), "secret://API_KEY was not found: `env`: no variable API_KEY");
}
