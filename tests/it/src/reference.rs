//! The reference for skill authors says what the interfaces say.

use std::fs;

use postern_test_support::{paths, reference};

#[test]
fn the_reference_is_that_of_the_interfaces() {
    let root = paths::repository();
    let folder = root.join("docs").join("reference");
    let pages = reference::pages(&root.join("wit")).unwrap();
    assert!(pages.len() > 5);
    for (name, text) in &pages {
        let file = folder.join(format!("{name}.md"));
        let written = fs::read_to_string(&file).unwrap_or_default();
        assert!(written == *text, "{}: run `cargo xtask reference`", file.display());
    }
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known = pages.iter().any(|(page, _)| name == format!("{page}.md"));
        assert!(known || name == "README.md", "{name} is the page of no interface");
    }
}

#[test]
fn the_page_about_limits_says_what_a_new_data_folder_says() {
    let root = paths::repository();
    let page = fs::read_to_string(root.join("docs").join("limits-and-errors.md")).unwrap();
    let config = root.join("host").join("src").join("config").join("default.toml");
    let config: toml_edit::DocumentMut = fs::read_to_string(config).unwrap().parse().unwrap();
    let limits = config["limits"].as_table().unwrap();
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        Some((cells.next()?.trim_end_matches('`'), cells.next()?.parse::<i64>().ok()?))
    });
    let mut told = 0;
    for (name, value) in rows {
        assert_eq!(limits[name].as_integer(), Some(value), "{name}");
        told += 1;
    }
    assert_eq!(told, 12);
    for (interface, calls) in limits["interface_calls"].as_table().unwrap() {
        assert!(
            page.replace('\n', " ")
                .contains(&format!("{interface} {}", calls.as_integer().unwrap())),
            "{interface}"
        );
    }
}
