//! Rust as a flat row of tokens with their lines, in which comments and strings cannot be mistaken for code.

use proc_macro2::{Delimiter, Group, Punct, Spacing, TokenStream, TokenTree};

/// One word, number, string or sign. A bracket is a token, and so is `::`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    /// Counted from one.
    pub(super) line: usize,
}

impl Token {
    pub(super) fn is(&self, text: &str) -> bool {
        self.text == text
    }

    /// A name or a keyword.
    pub(super) fn is_word(&self) -> bool {
        self.text.starts_with(|first: char| first.is_alphabetic() || first == '_')
            && !self.text.ends_with(['"', '\''])
    }

    pub(super) fn opens(&self) -> bool {
        matches!(self.text.as_str(), "{" | "(" | "[")
    }

    pub(super) fn closes(&self) -> bool {
        matches!(self.text.as_str(), "}" | ")" | "]")
    }

    /// How many brackets are open behind this token, if `depth` were open before it.
    pub(super) fn depth_after(&self, depth: usize) -> usize {
        (depth + usize::from(self.opens())).saturating_sub(usize::from(self.closes()))
    }
}

/// The tokens of a file. A documentation comment becomes an attribute that holds a string.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let stream: TokenStream = text.parse().map_err(|error| format!("is not Rust: {error}"))?;
    let mut row = Vec::new();
    flatten(stream, &mut row);
    Ok(row)
}

fn flatten(stream: TokenStream, row: &mut Vec<Token>) {
    let mut is_joined = false;
    for tree in stream {
        let line = tree.span().start().line;
        let joins = is_joined;
        is_joined = matches!(&tree, TokenTree::Punct(sign) if is_half_of_a_path_sign(sign));
        match tree {
            TokenTree::Group(group) => flatten_group(&group, row),
            TokenTree::Punct(sign) if joins && sign.as_char() == ':' => complete_path_sign(row),
            other => row.push(Token { text: other.to_string(), line }),
        }
    }
}

/// Whether this is a colon with another sign right behind it.
fn is_half_of_a_path_sign(sign: &Punct) -> bool {
    sign.as_char() == ':' && sign.spacing() == Spacing::Joint
}

fn complete_path_sign(row: &mut [Token]) {
    if let Some(half) = row.last_mut() {
        half.text.push(':');
    }
}

fn flatten_group(group: &Group, row: &mut Vec<Token>) {
    let (opening, closing) = brackets(group.delimiter());
    row.push(Token { text: opening.to_owned(), line: group.span_open().start().line });
    flatten(group.stream(), row);
    row.push(Token { text: closing.to_owned(), line: group.span_close().start().line });
}

fn brackets(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::Parenthesis | Delimiter::None => ("(", ")"),
    }
}

/// The tokens that are built into the library: without the items under `#[cfg(test)]` and its like.
pub(super) fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if let Some(length) = test_item(&tokens[at..]) {
            at += length;
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// The length of the item that stands here under a `cfg` that asks for `test`.
fn test_item(tokens: &[Token]) -> Option<usize> {
    let is_cfg = ["#", "[", "cfg", "("].iter().zip(tokens).all(|(text, token)| token.is(text));
    let attribute = if is_cfg && tokens.len() > 4 {
        closing(&tokens[1..])? + 2
    } else {
        return None;
    };
    let asks = |text: &str| tokens[4..attribute].iter().any(|token| token.is(text));
    (asks("test") && !asks("not")).then(|| attribute + item(&tokens[attribute..]))
}

/// The length of an item: up to the end of its first braces, or to a semicolon outside all brackets.
fn item(tokens: &[Token]) -> usize {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate() {
        depth = token.depth_after(depth);
        if depth == 0 && (token.is("}") || token.is(";")) {
            return index + 1;
        }
    }
    tokens.len()
}

/// The index of the bracket that closes the one that stands first.
fn closing(tokens: &[Token]) -> Option<usize> {
    let mut depth = 0;
    tokens.iter().position(|token| {
        depth = token.depth_after(depth);
        depth == 0
    })
}

#[test]
fn comments_and_strings_are_not_words() {
    let text = "// unsafe\n/* unsafe */ fn f() { \"unsafe\"; r#\"unsafe\"#; b\"unsafe\"; 'u' }\n/// unsafe\nfn g() {}";
    assert!(tokens(text).unwrap().iter().all(|token| !token.is("unsafe")));
}

#[test]
fn tokens_know_their_lines_and_paths_have_one_sign() {
    let row = tokens("use a::b;\n\nfn f<'a>() {\n    x\n}").unwrap();
    let find = |text: &str| row.iter().find(|token| token.is(text)).map(|token| token.line);
    assert_eq!(
        (find("::"), find("fn"), find("x"), find("}")),
        (Some(1), Some(3), Some(4), Some(5))
    );
}

#[test]
fn what_is_not_rust_is_an_error() {
    assert!(tokens("fn f( {").is_err());
}

#[test]
fn only_names_and_keywords_are_words() {
    let row = tokens("enum A_1 _b 2 \"c\" b\"d\" 'e' + r\"f\"").unwrap();
    let words: Vec<&str> =
        row.iter().filter(|token| token.is_word()).map(|token| token.text.as_str()).collect();
    assert_eq!(words, ["enum", "A_1", "_b"]);
}

#[test]
fn items_of_tests_are_left_out_and_nothing_else() {
    let kept = |text: &str| -> Vec<String> {
        without_tests(&tokens(text).unwrap()).into_iter().map(|token| token.text).collect()
    };
    assert_eq!(
        kept("a; #[cfg(test)] #[allow(x)] mod tests { fn f() {} } b;"),
        ["a", ";", "b", ";"]
    );
    assert_eq!(kept("#[cfg(test)] use a::c; b;"), ["b", ";"]);
    assert_eq!(kept("#[cfg(all(test, x))] mod tests; b;"), ["b", ";"]);
    assert!(kept("#[cfg(not(test))] mod a { }").contains(&"a".to_owned()));
    assert!(kept("#[cfg(unix)] mod a { }").contains(&"a".to_owned()));
}
