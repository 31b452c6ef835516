//! The reference for skill authors, written from the WIT packages.

use std::{fmt::Write as _, path::Path};

use anyhow::Context as _;
use wit_parser::{
    Docs, Function, Handle, Interface, PackageId, Resolve, Type, TypeDef, TypeDefKind,
    UnresolvedPackageGroup,
};

/// What stands at the top of each page.
const NOTE: &str = "Written from the WIT package by `cargo xtask reference`; a test keeps it so.";

/// The pages: the name of each package, and its text in Markdown.
///
/// # Errors
/// A package of the folder cannot be read.
pub fn pages(wit: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut names: Vec<String> = std::fs::read_dir(wit)
        .with_context(|| wit.display().to_string())?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name != "frozen")
        .collect();
    names.sort_unstable();
    let mut pages = Vec::new();
    for name in names {
        let mut resolve = Resolve::default();
        let group = UnresolvedPackageGroup::parse_dir(wit.join(&name))?;
        let package = resolve.push_group(group).with_context(|| name.clone())?;
        pages.push((name, page(&resolve, package)));
    }
    Ok(pages)
}

fn page(resolve: &Resolve, package: PackageId) -> String {
    let package = &resolve.packages[package];
    let mut out = format!("# `{}`\n\n<!-- {NOTE} -->\n\n", package.name);
    paragraph(&mut out, &package.docs);
    for (name, id) in &package.interfaces {
        let interface = &resolve.interfaces[*id];
        let _ = writeln!(out, "## Interface `{name}`\n");
        paragraph(&mut out, &interface.docs);
        functions(&mut out, resolve, interface);
        types(&mut out, resolve, interface);
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn functions(out: &mut String, resolve: &Resolve, interface: &Interface) {
    for function in interface.functions.values() {
        let _ = writeln!(out, "### `{}`\n", function.name);
        let _ = writeln!(out, "```wit\n{}\n```\n", signature(resolve, function));
        paragraph(out, &function.docs);
    }
}

fn signature(resolve: &Resolve, function: &Function) -> String {
    let parameters: Vec<_> = function
        .params
        .iter()
        .map(|param| format!("{}: {}", param.name, name_of(resolve, &param.ty)))
        .collect();
    let mut text = format!("{}: func({})", function.name, parameters.join(", "));
    if let Some(result) = &function.result {
        let _ = write!(text, " -> {}", name_of(resolve, result));
    }
    text
}

fn types(out: &mut String, resolve: &Resolve, interface: &Interface) {
    for (name, id) in &interface.types {
        let defined = &resolve.types[*id];
        let _ = writeln!(out, "### {} `{name}`\n", kind(defined));
        paragraph(out, &defined.docs);
        let rows = rows(resolve, defined);
        if !rows.is_empty() {
            table(out, &rows);
        }
    }
}

/// Columns that would be empty in every row are left out.
fn table(out: &mut String, rows: &[(&str, Option<String>, &Docs)]) {
    let typed = rows.iter().any(|(_, of, _)| of.is_some());
    let told = rows.iter().any(|(_, _, docs)| docs.contents.is_some());
    let mut line = |name: &str, of: &str, meaning: &str| {
        let of = if typed { format!(" {of} |") } else { String::new() };
        let meaning = if told { format!(" {meaning} |") } else { String::new() };
        let _ = writeln!(out, "| {name} |{of}{meaning}");
    };
    line("name", "type", "meaning");
    line("---", "---", "---");
    for (name, of, docs) in rows {
        let of = of.as_ref().map(|of| format!("`{of}`")).unwrap_or_default();
        let meaning = docs.contents.as_deref().unwrap_or_default().trim();
        line(&format!("`{name}`"), &of, &meaning.replace('\n', " ").replace('|', "\\|"));
    }
    out.push('\n');
}

fn kind(defined: &TypeDef) -> &'static str {
    match &defined.kind {
        TypeDefKind::Record(_) => "Record",
        TypeDefKind::Variant(_) => "Variant",
        TypeDefKind::Enum(_) => "Enum",
        TypeDefKind::Flags(_) => "Flags",
        TypeDefKind::Resource => "Resource",
        _ => "Type",
    }
}

/// Name, type and meaning of each part of a type.
fn rows<'a>(
    resolve: &'a Resolve,
    defined: &'a TypeDef,
) -> Vec<(&'a str, Option<String>, &'a Docs)> {
    match &defined.kind {
        TypeDefKind::Record(record) => record
            .fields
            .iter()
            .map(|field| (&*field.name, Some(name_of(resolve, &field.ty)), &field.docs))
            .collect(),
        TypeDefKind::Variant(variant) => variant
            .cases
            .iter()
            .map(|case| {
                let of = case.ty.as_ref().map(|of| name_of(resolve, of));
                (&*case.name, of, &case.docs)
            })
            .collect(),
        TypeDefKind::Enum(cases) => {
            cases.cases.iter().map(|case| (&*case.name, None, &case.docs)).collect()
        }
        TypeDefKind::Flags(flags) => {
            flags.flags.iter().map(|flag| (&*flag.name, None, &flag.docs)).collect()
        }
        _ => Vec::new(),
    }
}

/// A type as WIT writes it.
fn name_of(resolve: &Resolve, of: &Type) -> String {
    let Type::Id(id) = of else {
        return match of {
            Type::String => "string".to_owned(),
            other => format!("{other:?}").to_lowercase(),
        };
    };
    let defined = &resolve.types[*id];
    if let Some(name) = &defined.name {
        return name.clone();
    }
    let name = |of: &Type| name_of(resolve, of);
    let or_none = |of: &Option<Type>| of.as_ref().map_or_else(|| "_".to_owned(), name);
    match &defined.kind {
        TypeDefKind::Option(of) => format!("option<{}>", name(of)),
        TypeDefKind::List(of) => format!("list<{}>", name(of)),
        TypeDefKind::Result(result) => match (&result.ok, &result.err) {
            (None, None) => "result".to_owned(),
            (ok, None) => format!("result<{}>", or_none(ok)),
            (ok, err) => format!("result<{}, {}>", or_none(ok), or_none(err)),
        },
        TypeDefKind::Tuple(tuple) => {
            let of: Vec<_> = tuple.types.iter().map(name).collect();
            format!("tuple<{}>", of.join(", "))
        }
        TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => name(&Type::Id(*id)),
        TypeDefKind::Type(of) => name(of),
        other => other.as_str().to_owned(),
    }
}

fn paragraph(out: &mut String, docs: &Docs) {
    if let Some(text) = &docs.contents {
        let _ = writeln!(out, "{}\n", text.trim());
    }
}
