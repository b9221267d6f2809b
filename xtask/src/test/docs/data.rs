//! Blocks that are data: they must at least be what they say they are.

use saphyr_parser::Parser;

/// Fails if a text is not what its language says. Of other languages it knows nothing.
pub(crate) fn parse(language: &str, text: &str) -> anyhow::Result<()> {
    match language {
        "json" => drop(serde_json::from_str::<serde_json::Value>(text)?),
        "toml" => drop(text.parse::<toml::Table>()?),
        "yaml" => Parser::new_from_str(text).try_for_each(|event| event.map(drop))?,
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_has_its_parser() {
        let good =
            [("json", "{\"a\": 1}"), ("toml", "[a]\nb = 1"), ("yaml", "a:\n  - b"), ("text", "{")];
        for (language, text) in good {
            assert!(parse(language, text).is_ok(), "{language}");
        }
        let bad = [("json", "{a: 1}"), ("toml", "a = "), ("yaml", "a: [b\nc: d")];
        for (language, text) in bad {
            assert!(parse(language, text).is_err(), "{language}");
        }
    }
}
