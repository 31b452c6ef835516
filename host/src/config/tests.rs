use super::*;

/// A data folder with the operator token that the default refers to.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("secrets")).unwrap();
    std::fs::write(folder.path().join("secrets/operator-token"), "0123456789abcdef\n").unwrap();
    folder
}

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(folder().path(), "postern.toml", text)
}

fn check(change: impl Fn(String) -> String, expect: &str) {
    let error = parse(&change(DEFAULT.to_owned())).unwrap_err().to_string();
    assert!(error.contains(expect), "expected {expect:?} in: {error}");
}

#[test]
fn the_default_is_valid_and_complete() {
    let config = parse(DEFAULT).unwrap();
    assert_eq!(config.web["main"].title, "Customer support");
    assert_eq!(config.pipeline.queue, "support");
    assert!(config.collections.get("orders").is_some());
    // With every example uncommented it is valid too, but for the environment.
    let all: String = DEFAULT
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let error = parse(&all).unwrap_err().to_string();
    assert!(error.contains("TELEGRAM_BOT_TOKEN is not set"), "{error}");
}

#[test]
fn errors_name_file_field_and_reason() {
    check(|t| t.replace("lease_s", "lease_sec"), "unknown field `lease_sec`");
    check(
        |t| t.replace("workers = 8", "workers = 0"),
        "postern.toml: pipeline.workers: 0 is not between",
    );
    check(|t| t.replace("workers = 8", "workers = \"8\""), "invalid type");
    check(
        |t| t.replace("127.0.0.1:8081", "localhost"),
        "server.operator: \"localhost\" is not an address",
    );
    check(
        |t| t.replace("127.0.0.1:8081", "127.0.0.1:8080"),
        "server.operator: must not be the public",
    );
    check(
        |t| t.replace("operator-token", "nothing"),
        "server.operator_token: file secrets/nothing",
    );
    check(|t| t.replace("\"resend\"", "\"maybe\""), "unknown variant `maybe`");
    check(
        |t| t + "[endpoints.a]\nurl = \"http://a.example/\"\n",
        "endpoints.a.url: `http` is accepted only",
    );
    check(|t| t + "[endpoints.a]\nurl = \"https://u:p@a.example/\"\n", "without user");
    check(
        |t| t + "[secrets.s]\nvalue = { env = \"PATH\" }\nendpoint = \"a\"\nheader = \"x\"\n",
        "secrets.s.endpoint: no endpoint \"a\"",
    );
    check(|t| t.replace("\"EMAIL\"", "\"e-mail\""), "collections.users.personal.email");
    check(|t| t.replace("\"EMAIL\"", "\"_EMAIL\""), "collections.users.personal.email");
    check(
        |t| {
            t.replace(
                "[collections.users]\nowner = \"user_id\"",
                "[collections.users]\nowner = \"email\"",
            )
        },
        "collections.users.owner: must not be a personal field",
    );
    check(
        |t| t + "[collections.staff]\nowner = \"id\"\nidentify_by = [[\"badge\"]]\n",
        "collections.users.identify_by: only one collection",
    );
    check(
        |t| t.replace("origins = []", "origins = [\"https://a.example/path\"]"),
        "is not an origin",
    );
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_repeated() {
    let text =
        DEFAULT.replace("{ file = \"secrets/operator-token\" }", "\"hunter2hunter2hunter2\"");
    let error = parse(&text).unwrap_err();
    assert!(error.to_string().contains("a secret never stands in this file"), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}
