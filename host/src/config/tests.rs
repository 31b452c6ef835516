use postern_domain::Interface;
use postern_runtime::Limits;

use super::*;

/// A data folder with the operator token that the default refers to.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("secrets")).unwrap();
    std::fs::write(folder.path().join("secrets/operator-token"), "0123456789abcdef\n").unwrap();
    for (name, secret) in [
        ("short", "1234567\n"),
        ("digits", "12345678901"),
        ("basic-short", "YWRtaW46MjAyNA=="),
        ("basic-digits", "YWRtaW46MjAyNDIwMjQ"),
        ("basic-key", "c2stMTIzNDU2Nzg6"),
        ("with-scheme", "Bearer 2024"),
    ] {
        std::fs::write(folder.path().join("secrets").join(name), secret).unwrap();
    }
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
fn limits_are_those_of_the_runtime_unless_they_are_set() {
    assert_eq!(parse(DEFAULT).unwrap().ceilings, Limits::default());
    let from = DEFAULT.find("[limits]").unwrap();
    let rest = from + DEFAULT[from..].find("[breaker]").unwrap();
    let without = format!("{}{}", &DEFAULT[..from], &DEFAULT[rest..]);
    assert_eq!(parse(&without).unwrap().ceilings, Limits::default());
    let http_only = format!("{without}\n[limits.interface_calls]\nhttp = 3\n");
    let mut wanted = Limits::default();
    wanted.interface_calls.set(Interface::Http, 3);
    assert_eq!(parse(&http_only).unwrap().ceilings, wanted);
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
    check(|t| t.replace("failures = 5", "failures = 0"), "breaker.failures: 0 is not between");
    check(
        |t| t.replace("stack_kib = 512", "stack_kib = 64"),
        "limits.stack_kib: 64 is not between",
    );
    check(|t| t.replace("records = 200", "record = 200"), "unknown variant `record`");
    check(
        |t| t.replace("records = 200", "log = 200"),
        "limits.interface_calls.log: log lines are counted by",
    );
    check(
        |t| t.replace("longest_rest_s = 600", "longest_rest_s = 20"),
        "breaker.longest_rest_s: 20 is not between 30 and",
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
        |t| t.replace("[collections.orders]\n", "[collections.orders]\ntier = \"tier\"\n"),
        "collections.orders.tier: belongs to the collection of customers",
    );
    check(|t| t.replace("irreversible = [\"status\"]", "irreversible = [\"\"]"), "not the name of");
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

/// What is wrong with this text after the default.
fn refused(text: &str, expect: &str) {
    check(|t| t + "\n" + text + "\n", expect);
}

#[test]
fn endpoints_are_checked() {
    let url = |url: &str| format!("[endpoints.a]\nurl = {url:?}");
    refused(&url("http://a.example/"), "endpoints.a.url: `http` is accepted only inside networks");
    refused(&url("https://u:p@a.example/"), "without user");
    refused(&url("https://a.example./"), "endpoints.a.url: write the host without a dot");
    refused(&url("https://a.example/x;y/"), "endpoints.a.url: percent-encode");
    refused(&url("https://10.0.0.1/"), "endpoints.a.url: 10.0.0.1 is not a public address");
    refused(&url("https://[::ffff:10.0.0.1]/"), "is not a public address");
    let twice = url("https://a.example/") + "\n[endpoints.b]\nurl = \"https://a.example\"";
    refused(&twice, "endpoints.b.url: is that of endpoint a too");
    let private = |net: &str| format!("{}\nprivate = [{net:?}]", url("https://a.example/"));
    for (net, reason) in [
        ("10.0.0.1.2", "is not a network"),
        ("private", "is not a network"),
        ("10.1.2.0", "is not a network"),
        ("10.1.2.3/24", "has bits beyond its length: write 10.1.2.0/24"),
        ("0.0.0.0/0", "is too wide"),
        ("::/0", "is too wide"),
        ("224.0.0.0/4", "is too wide"),
        ("8.8.8.0/24", "holds public addresses"),
        ("172.0.0.0/8", "holds public addresses"),
        ("2606:4700::/32", "holds public addresses"),
        ("0.0.0.0/8", "holds the unspecified address"),
        ("::/96", "holds the unspecified address"),
    ] {
        refused(&private(net), &format!("endpoints.a.private: {net:?}: {reason}"));
    }
    let metadata = url("https://169.254.169.254/");
    refused(&(metadata.clone() + "\nprivate = [\"169.254.0.0/16\"]"), "name 169.254.169.254/32");
    let alone = format!("{DEFAULT}\n{metadata}\nprivate = [\"169.254.169.254/32\"]\n");
    assert!(parse(&alone).is_ok());
    refused(&(url("https://a.example/") + "\nprivate = true"), "invalid type: boolean");
    refused(&(url("https://a.example/") + "\nport = 1"), "unknown field `port`");
    let inside =
        "[endpoints.a]\nurl = \"http://10.1.2.3/\"\nprivate = [\"10.1.2.0/24\", \"fd00::/8\"]";
    assert_eq!(parse(&format!("{DEFAULT}\n{inside}\n")).unwrap().endpoints["a"].private.len(), 2);
}

#[test]
fn grants_are_checked() {
    let grant = |line: &str| {
        format!("[endpoints.a]\nurl = \"https://a.example/\"\n[endpoints.a.grants.tester]\n{line}")
    };
    let field = "endpoints.a.grants.tester";
    for (line, reason) in [
        ("methods = []", "methods: is empty"),
        ("methods = [\"TRACE\"]", "unknown variant `TRACE`"),
        ("paths = [\"/track\"]", "paths: \"/track\": is below the endpoint's URL"),
        ("paths = [\"\"]", "paths: \"\": a pattern has 1 to 200 bytes"),
        ("paths = [\"a/../b\"]", "paths: \"a/../b\": no empty parts"),
        ("paths = [\"a%2fb\"]", "paths: \"a%2fb\": encode only"),
        ("headers = [\"a b\"]", "headers: \"a b\": is not a header name"),
        ("headers = [\"Authorization\"]", "headers: \"Authorization\": is set by the host"),
        ("headers = [\"x-http-method-override\"]", "is set by the host alone"),
        ("content_types = [\"*/*\"]", "content_types: \"*/*\": is not a type"),
        ("secrets = [\"token\"]", "secrets: \"token\": add [secrets.token] with endpoint = \"a\""),
        ("amount = \"amount_cents\"", "amount: \"amount_cents\" is no JSON pointer"),
        ("timeout_ms = 0", "timeout_ms: 0 is not between 100 and 60000"),
        ("response_kib = 5000", "response_kib: 5000 is not between 1 and 4096"),
        ("path = [\"*\"]", "unknown field `path`"),
    ] {
        refused(&grant(line), reason);
        if reason.starts_with(|c: char| c.is_lowercase()) && reason.contains(": ") {
            refused(&grant(line), field);
        }
    }
    refused(&grant("").replace("grants.tester", "grants.\"No Skill\""), "a skill id");
    let config = parse(&format!("{DEFAULT}\n{}\n", grant(""))).unwrap();
    let grant = &config.endpoints["a"].grants[&"tester".parse().unwrap()];
    assert_eq!(grant.methods.len(), 2);
    assert_eq!((grant.timeout, grant.response_bytes), (Duration::from_secs(8), 1 << 20));
}

#[test]
fn secrets_for_requests_are_checked() {
    let secret = |header: &str, file: &str, prefix: &str| {
        format!(
            "[endpoints.a]\nurl = \"https://a.example/\"\n\
             [endpoints.a.grants.tester]\nheaders = [\"x-mine\"]\n\
             [secrets.s]\nvalue = {{ file = \"secrets/{file}\" }}\nendpoint = \"a\"\n\
             header = {header:?}\nprefix = {prefix:?}"
        )
    };
    assert!(parse(&format!("{DEFAULT}\n{}\n", secret("X-Key", "operator-token", ""))).is_ok());
    for (file, prefix) in [("basic-short", "Key "), ("basic-key", "Basic ")] {
        assert!(
            parse(&format!("{DEFAULT}\n{}\n", secret("X-Key", file, prefix))).is_ok(),
            "{file}"
        );
    }
    for (header, file, prefix, reason) in [
        ("a b", "operator-token", "", "secrets.s.header: \"a b\" is not a header name"),
        ("Host", "operator-token", "", "secrets.s.header: \"host\" frames the message"),
        ("Transfer-Encoding", "operator-token", "", "frames the message"),
        (
            "X-Mine",
            "operator-token",
            "",
            "secrets.s.header: \"x-mine\" is one that the grant of tester",
        ),
        ("x-key", "short", "", "secrets.s.value: the secret has fewer than 8 bytes"),
        ("x-key", "digits", "", "secrets.s.value: the secret has fewer than 12 bytes and digits"),
        ("x-key", "basic-short", "Basic ", "what the credentials hold has fewer than 8 bytes"),
        ("x-key", "basic-digits", "basic ", "what the credentials hold has fewer than 12 bytes"),
        ("x-key", "with-scheme", "", "what the credentials hold has fewer than 8 bytes"),
        ("x-key", "operator-token", "ä", "secrets.s.value: prefix and secret must be printable"),
    ] {
        refused(&secret(header, file, prefix), reason);
    }
    refused(
        "[secrets.s]\nvalue = { env = \"PATH\" }\nendpoint = \"a\"\nheader = \"x\"",
        "secrets.s.endpoint: no endpoint \"a\"",
    );
}

#[test]
fn what_proves_who_a_customer_is_is_checked() {
    let folder = folder();
    let secrets = folder.path().join("secrets");
    std::fs::write(secrets.join("web-key"), "0123456789abcdef0123456789abcdef").unwrap();
    let settings = "\n[channels.web.main.identity]\nkeys = [{ secret = { file = \"secrets/web-key\" } }]\n\
                    [identity]\ncontacts = { phone = \"address.zip\", email = \"email\" }\n\
                    [identity.delivery]\nurl = \"https://gateway.example/send\"\n\
                    token = { file = \"secrets/operator-token\" }\n";
    let parse = |from: &str, to: &str| {
        let text = format!("{DEFAULT}{}", settings.replace(from, to));
        Config::parse(folder.path(), "postern.toml", &text)
    };
    let config = parse("", "").unwrap();
    assert_eq!(config.web["main"].identity_keys.len(), 1);
    let kinds: Vec<_> = config.identity.contacts.iter().map(|contact| contact.kind).collect();
    assert_eq!(kinds, ["email", "phone"], "the preferred one first");
    assert!(config.identity.delivery.is_some());
    assert!(!format!("{config:?}").contains("0123456789abcdef"));
    parse("https://gateway.example", "http://127.0.0.1:9").unwrap();
    for (from, to, expect) in [
        ("https://", "http://", "identity.delivery.url: codes travel over https"),
        ("https://gateway.example", "http://localhost", "codes travel over https"),
        ("operator-token", "short", "identity.delivery.token: must have at least 16"),
        ("web-key", "operator-token", "main.identity.keys: a key for HS256 has at least 32 bytes"),
        ("[{ secret = { file = \"secrets/web-key\" } }]", "[]", "identity.keys: must be 1 to 4"),
        ("= \"email\"", "= \"user_id\"", "identity.contacts.email: \"user_id\" is not a personal"),
        ("contacts = {", "contact = {", "unknown field `contact`"),
        (
            "contacts = { phone = \"address.zip\", email = \"email\" }",
            "",
            "identity.contacts: is needed where `identity.delivery` is set",
        ),
    ] {
        let error = parse(from, to).unwrap_err().to_string();
        assert!(error.contains(expect), "expected {expect:?} in: {error}");
    }
}
