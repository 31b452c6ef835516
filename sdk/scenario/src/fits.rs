//! What fits to what.

use serde_json::Value;

/// Whether a path fits a pattern, in which `*` is one part and `**` any number of
/// them. Both begin with `/`.
pub fn path_fits(pattern: &str, path: &str) -> bool {
    let parts = |text: &str| -> Vec<String> {
        text.trim_start_matches('/').split('/').map(str::to_owned).collect()
    };
    parts_fit(&parts(pattern), &parts(path))
}

/// Follows every `**` at the same time, so that many of them cost no more than
/// pattern times path.
fn parts_fit(pattern: &[String], path: &[String]) -> bool {
    // fits[i]: whether the pattern so far fits the first i parts of the path.
    let mut fits = vec![false; path.len() + 1];
    fits[0] = true;
    for part in pattern {
        let mut next = vec![false; path.len() + 1];
        if part == "**" {
            let mut any = false;
            for (i, before) in fits.iter().enumerate() {
                any |= before;
                next[i] = any;
            }
        } else {
            for (i, given) in path.iter().enumerate() {
                next[i + 1] = fits[i] && (part == "*" && !given.is_empty() || part == given);
            }
        }
        fits = next;
    }
    fits[path.len()]
}

/// Whether a JSON value has everything that is wanted of it: objects may have more
/// fields, lists must have the same length, numbers are compared by their value.
pub fn value_fits(wanted: &Value, given: &Value) -> bool {
    match (wanted, given) {
        (Value::Object(wanted), Value::Object(given)) => wanted
            .iter()
            .all(|(name, value)| given.get(name).is_some_and(|given| value_fits(value, given))),
        (Value::Array(wanted), Value::Array(given)) => {
            wanted.len() == given.len() && wanted.iter().zip(given).all(|(w, g)| value_fits(w, g))
        }
        (Value::Number(wanted), Value::Number(given)) => {
            wanted == given || wanted.as_f64() == given.as_f64()
        }
        _ => wanted == given,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stars_stand_for_parts_of_a_path() {
        for (pattern, path) in [
            ("/a/b", "/a/b"),
            ("/a/*", "/a/b"),
            ("/*/b", "/a/b"),
            ("/**", "/"),
            ("/**", "/a/b/c"),
            ("/a/**", "/a"),
            ("/a/**/c", "/a/c"),
            ("/a/**/c", "/a/b/b/c"),
        ] {
            assert!(path_fits(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("/a/b", "/a/c"),
            ("/a/*", "/a"),
            ("/a/*", "/a/"),
            ("/a/*", "/a/b/c"),
            ("/a*", "/ab"),
            ("/a/**/c", "/a/b"),
        ] {
            assert!(!path_fits(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern = "/**/a".repeat(200);
        assert!(!path_fits(&pattern, &"/a".repeat(199)));
    }

    #[test]
    fn objects_may_have_more_and_lists_may_not() {
        let given = json!({"a": 1, "b": [{"c": 2.0, "d": 3}], "e": "x"});
        for wanted in [json!({}), json!({"a": 1.0}), json!({"b": [{"c": 2}]}), given.clone()] {
            assert!(value_fits(&wanted, &given), "{wanted}");
        }
        for wanted in [json!({"a": "1"}), json!({"f": null}), json!({"b": []}), json!([])] {
            assert!(!value_fits(&wanted, &given), "{wanted}");
        }
    }
}
