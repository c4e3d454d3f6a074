//! Regular expressions that no engine accepts. A script with one of them does not run at all, so it is refused here; what
//! is not plainly wrong is left to the engine.

/// What is wrong with a pattern, if it is plain to see.
pub(crate) fn defect(pattern: &str, flags: &str) -> Option<&'static str> {
    let unicode = flags.contains(['u', 'v']);
    Check { letters: pattern.chars().collect(), at: 0, unicode, sets: flags.contains('v') }.run()
}

struct Check {
    letters: Vec<char>,
    at: usize,
    unicode: bool,
    /// With `v`, classes have classes inside.
    sets: bool,
}

impl Check {
    fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek();
        self.at += 1;
        letter
    }

    fn run(&mut self) -> Option<&'static str> {
        let mut open = 0_u32;
        // Whether there is something that a quantifier could repeat.
        let mut repeatable = false;
        while let Some(letter) = self.next() {
            match letter {
                '\\' => {
                    match self.next() {
                        None => return Some("it ends with a backslash"),
                        // `\\u{1F600}` and `\\p{Letter}`
                        Some('u' | 'p' | 'P') if self.unicode && self.peek() == Some('{') => {
                            while self.next().is_some_and(|letter| letter != '}') {}
                        }
                        Some(_) => {}
                    }
                    repeatable = true;
                }
                '[' => {
                    if let Some(defect) = self.class() {
                        return Some(defect);
                    }
                    repeatable = true;
                }
                '(' => {
                    open += 1;
                    if let Some(defect) = self.group() {
                        return Some(defect);
                    }
                    repeatable = false;
                }
                ')' => {
                    if open == 0 {
                        return Some("a `)` closes nothing");
                    }
                    open -= 1;
                    repeatable = true;
                }
                '*' | '+' | '?' => {
                    if !repeatable {
                        return Some("there is nothing to repeat");
                    }
                    if self.peek() == Some('?') {
                        self.at += 1;
                    }
                    repeatable = false;
                }
                '{' => {
                    if let Some(defect) = self.count(&mut repeatable) {
                        return Some(defect);
                    }
                }
                '}' | ']' if self.unicode => return Some("a bracket closes nothing"),
                '|' => repeatable = false,
                '^' => repeatable = false,
                _ => repeatable = true,
            }
        }
        (open > 0).then_some("a `(` is not closed")
    }

    /// Behind `(`.
    fn group(&mut self) -> Option<&'static str> {
        if self.peek() != Some('?') {
            return None;
        }
        self.at += 1;
        match self.next() {
            Some(':' | '=' | '!') => None,
            Some('<') => match self.peek() {
                Some('=' | '!') => {
                    self.at += 1;
                    None
                }
                _ => self.name(),
            },
            // Flags for a part of the pattern: `(?i:…)`.
            Some('i' | 'm' | 's' | '-') => loop {
                match self.next() {
                    Some('i' | 'm' | 's' | '-') => {}
                    Some(':') => return None,
                    _ => return Some("`(?` is followed by something that means nothing"),
                }
            },
            _ => Some("`(?` is followed by something that means nothing"),
        }
    }

    fn name(&mut self) -> Option<&'static str> {
        let start = self.at;
        loop {
            match self.next() {
                Some('>') if self.at > start + 1 => return None,
                Some(letter)
                    if letter.is_alphanumeric()
                        || matches!(letter, '_' | '$' | '\\' | '{' | '}' | '\u{200c}' | '\u{200d}') => {}
                Some(letter) if !letter.is_ascii() => {}
                _ => return Some("the name of a group is not closed by `>`"),
            }
        }
    }

    /// Behind `{`: how often, or without `u` just a letter.
    fn count(&mut self, repeatable: &mut bool) -> Option<&'static str> {
        let rest: String = self.letters[self.at..].iter().take_while(|letter| **letter != '}').collect();
        let closed = self.letters.get(self.at + rest.chars().count()) == Some(&'}');
        let (low, high) = rest.split_once(',').map_or((rest.as_str(), None), |(low, high)| (low, Some(high)));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_count = closed && !low.is_empty() && digits(low) && high.is_none_or(digits);
        if !is_count {
            *repeatable = true;
            return self.unicode.then_some("a `{` does not start a count");
        }
        if !*repeatable {
            return Some("there is nothing to repeat");
        }
        let high = high.filter(|high| !high.is_empty());
        let numbers = (low.parse::<u64>(), high.unwrap_or(low).parse::<u64>());
        if let (Ok(low), Ok(high)) = numbers
            && low > high
        {
            return Some("a count has its numbers in the wrong order");
        }
        self.at += rest.chars().count() + 1;
        if self.peek() == Some('?') {
            self.at += 1;
        }
        *repeatable = false;
        None
    }

    /// Behind a backslash in brackets: the whole of it, since its parts are no letters of their own.
    fn escape(&mut self) {
        let kind = self.next();
        let digits = match (kind, self.peek()) {
            (Some('u' | 'p' | 'P'), Some('{')) => {
                while self.next().is_some_and(|letter| letter != '}') {}
                return;
            }
            (Some('u'), _) => 4,
            (Some('x'), _) => 2,
            (Some('c'), _) => 1,
            _ => 0,
        };
        for _ in 0..digits {
            if self.peek().is_some_and(|letter| letter.is_ascii_hexdigit() || kind == Some('c')) {
                self.next();
            }
        }
    }

    /// Behind `[`.
    fn class(&mut self) -> Option<&'static str> {
        let mut depth = 1_u32;
        let mut before: Option<char> = None;
        if self.peek() == Some('^') {
            self.at += 1;
        }
        while let Some(letter) = self.next() {
            match letter {
                '\\' => {
                    self.escape();
                    // What follows a `-` here ends a range, or stands for itself; either way nothing begins with it.
                    if !self.sets && self.peek() == Some('-') {
                        self.next();
                        match self.peek() {
                            Some(']') | None => {}
                            Some('\\') => {
                                self.next();
                                self.escape();
                            }
                            Some(_) => self.at += 1,
                        }
                    }
                    before = None;
                }
                '[' if self.sets => {
                    depth += 1;
                    before = None;
                }
                ']' => {
                    depth -= 1;
                    if depth == 0 {
                        return None;
                    }
                    before = None;
                }
                '-' if !self.sets => {
                    let after = self.peek().filter(|after| !matches!(after, '\\' | ']'));
                    if let (Some(low), Some(high)) = (before, after) {
                        if low > high {
                            return Some("a range in brackets has its ends in the wrong order");
                        }
                        self.at += 1;
                        before = None;
                    } else {
                        before = Some('-');
                    }
                }
                letter => before = Some(letter),
            }
        }
        Some("a `[` is not closed")
    }
}

#[cfg(test)]
mod tests {
    use super::defect;

    #[test]
    fn what_engines_accept_is_left() {
        let patterns = [
            ("", ""),
            ("a*?b+?c??d{2}?", ""),
            ("(?:a|b)*(?=c)(?!d)(?<=e)(?<!f)", ""),
            ("(?<name>x)\\k<name>", ""),
            ("(?<ünï$_1>x)", "u"),
            ("[a-z\\]\\-[]", ""),
            ("[]", ""),
            ("[^]", ""),
            ("[^-+eE.]", ""),
            ("[^-0-9:]", ""),
            ("[-a-]", ""),
            ("[^-+eE.\\d]+", ""),
            ("[\\w--!][\\w-][\\s-\\S]", ""),
            ("[\\u{61}-b][\\x1f-!][\\u00ff-0][\\cZ-9]", "u"),
            ("[\\w-a]", ""),
            ("[a-\\d]", ""),
            ("a{", ""),
            ("a{,5}", ""),
            ("{", ""),
            ("}]", ""),
            ("x{1,}", ""),
            ("x{0,2}y{3}", "u"),
            ("(?=a)*", ""),
            ("\\b+", ""),
            ("[[a-z]&&[aeiou]]", "v"),
            ("(?i:a)(?-s:b)", ""),
            ("\\u{1F600}", "u"),
            ("\\/", ""),
            ("\\p{Lu}+", "u"),
            ("(?<a>.)|(?<a>..)", ""),
            ("a|", ""),
            ("()*", ""),
            ("(|a)+", ""),
            ("[z-\\u0100]", ""),
            ("$+", ""),
            ("\\1(a)", ""),
            ("[+*?{}()]", "u"),
            ("😀{2}", "u"),
            ("[😀-😎]", "u"),
        ];
        for (pattern, flags) in patterns {
            assert_eq!(defect(pattern, flags), None, "/{pattern}/{flags}");
        }
    }

    #[test]
    fn what_no_engine_accepts_is_told() {
        let patterns = [
            ("(", ""),
            ("a)", ""),
            ("[a", ""),
            ("[z-a]", ""),
            ("[^z-a]", ""),
            ("*", ""),
            ("a**", ""),
            ("a+*", ""),
            ("(?a)", ""),
            ("(?<a", ""),
            ("(?<>x)", ""),
            ("(?<a b>x)", ""),
            ("a{3,2}", ""),
            ("a|*", ""),
            ("(+)", ""),
            ("{2}", ""),
            ("a{", "u"),
            ("}", "u"),
            ("]", "u"),
            ("^*", ""),
            ("(?", ""),
        ];
        for (pattern, flags) in patterns {
            assert!(defect(pattern, flags).is_some(), "/{pattern}/{flags}");
        }
    }
}
