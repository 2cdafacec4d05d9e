//! The constants of a chunk: what events name by number. Stacks stay where they are until an event needs them.
//!
//! Start reading at [`Pools::add`].

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::types::{Got, Shape, Types, Wanted};
use super::values::{Bad, Text, Values};
use crate::base::ticket::Watch;

/// A function, by the keys of what it consists of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Method {
    pub(super) class: Option<i64>,
    pub(super) name: Option<i64>,
    pub(super) descriptor: Option<i64>,
}

/// A thread.
#[derive(Clone, Debug, Default)]
pub(super) struct Thread<'a> {
    pub(super) names: [Option<Cow<'a, str>>; 2],
    /// The system's number and Java's.
    pub(super) numbers: [i64; 2],
}

/// What a class's constants are kept as.
#[derive(Debug)]
enum Keep {
    Stacks,
    Methods(Wanted<3>),
    Classes(Wanted<1>),
    Threads(Wanted<4>),
    /// Classes with one text, and texts themselves.
    Texts(Wanted<1>),
    PlainTexts,
    Nothing,
}

/// Constants by key; texts also by the row of their class.
#[derive(Debug, Default)]
pub(super) struct Pools<'a> {
    /// Where the value of each stack begins.
    stacks: FxHashMap<i64, Values<'a>>,
    methods: FxHashMap<i64, Method>,
    /// Name of each class.
    classes: FxHashMap<i64, i64>,
    threads: FxHashMap<i64, Thread<'a>>,
    texts: FxHashMap<(usize, i64), Cow<'a, str>>,
    /// Row of the class of texts that stand for themselves, and of names.
    plain: Option<usize>,
    symbols: Option<usize>,
    /// Row of the class of stacks.
    pub(super) stack_class: Option<usize>,
    keep: FxHashMap<usize, Keep>,
}

impl<'a> Pools<'a> {
    /// Takes in a checkpoint, behind its size and its type.
    pub(super) fn add(&mut self, types: &Types, values: &mut Values<'a>, watch: &Watch) -> Result<(), Bad> {
        // Start, duration, how far away the one before is, and which kind it is of.
        for _ in 0..3 {
            values.long()?;
        }
        values.byte()?;
        // A class and a number of constants take a byte each at least.
        for _ in 0..values.count(2)? {
            let offset = values.offset();
            let id = values.long()?;
            let class = types.row(id).ok_or_else(|| Bad::new(offset, format!("no class has the number {id}")))?;
            let least = types.least_of(class);
            let count = values.count(1_usize.saturating_add(least))?;
            if !self.keep.contains_key(&class) {
                let keep = self.keep_of(types, class);
                self.keep.insert(class, keep);
            }
            for _ in 0..count {
                watch.step();
                self.constant(types, class, values)?;
            }
        }
        Ok(())
    }

    fn keep_of(&mut self, types: &Types, row: usize) -> Keep {
        let Some(class) = types.class(row) else { return Keep::Nothing };
        match class.name.as_str() {
            "jdk.types.StackTrace" => {
                self.stack_class = Some(row);
                Keep::Stacks
            }
            "jdk.types.Method" => Keep::Methods(types.wanted(row, ["type", "name", "descriptor"])),
            "java.lang.Class" => Keep::Classes(types.wanted(row, ["name"])),
            "java.lang.Thread" => Keep::Threads(types.wanted(row, ["javaName", "osName", "osThreadId", "javaThreadId"])),
            _ if class.shape == Shape::Text => {
                self.plain = Some(row);
                Keep::PlainTexts
            }
            name => match class.fields.as_slice() {
                [field] if types.class(field.class).is_some_and(|class| class.shape == Shape::Text) => {
                    if name == "jdk.types.Symbol" {
                        self.symbols = Some(row);
                    }
                    Keep::Texts(types.wanted(row, [field.name.as_str()]))
                }
                _ => Keep::Nothing,
            },
        }
    }

    fn constant(&mut self, types: &Types, class: usize, values: &mut Values<'a>) -> Result<(), Bad> {
        let key = values.long()?;
        let constant = |got: &Got<'_>| if let Got::Constant(_, key) = got { Some(*key) } else { None };
        let number = |got: &Got<'_>| if let Got::Number(number) = got { *number } else { 0 };
        // Texts of constants are not constants themselves.
        let text = |got: Got<'a>| if let Got::Text(Text::Here(text)) = got { Some(text) } else { None };
        match self.keep.get(&class).unwrap_or(&Keep::Nothing) {
            Keep::Stacks => {
                self.stacks.insert(key, *values);
                types.skip(class, values)?;
            }
            Keep::Methods(wanted) => {
                let [class, name, descriptor] = types.get(wanted, values)?;
                let method = Method { class: constant(&class), name: constant(&name), descriptor: constant(&descriptor) };
                self.methods.insert(key, method);
            }
            Keep::Classes(wanted) => {
                let [name] = types.get(wanted, values)?;
                self.classes.extend(constant(&name).map(|name| (key, name)));
            }
            Keep::Threads(wanted) => {
                let [java, system, number_of_system, number_of_java] = types.get(wanted, values)?;
                let numbers = [number(&number_of_system), number(&number_of_java)];
                self.threads.insert(key, Thread { names: [text(java), text(system)], numbers });
            }
            Keep::Texts(wanted) => {
                let [got] = types.get(wanted, values)?;
                self.texts.extend(text(got).map(|text| ((class, key), text)));
            }
            Keep::PlainTexts => {
                if let Some(Text::Here(text)) = values.text()? {
                    self.texts.insert((class, key), text);
                }
            }
            Keep::Nothing => types.skip(class, values)?,
        }
        Ok(())
    }

    pub(super) fn stack(&self, key: i64) -> Option<Values<'a>> {
        self.stacks.get(&key).copied()
    }

    pub(super) fn thread(&self, key: i64) -> Option<&Thread<'a>> {
        self.threads.get(&key)
    }

    pub(super) fn method(&self, key: i64) -> Option<Method> {
        self.methods.get(&key).copied()
    }

    pub(super) fn symbol(&self, key: i64) -> Option<&str> {
        self.constant_text(self.symbols?, key)
    }

    /// The text that a constant of a class is.
    pub(super) fn constant_text(&self, class: usize, key: i64) -> Option<&str> {
        self.texts.get(&(class, key)).map(|text| &**text)
    }

    /// The name of a class as Java has it: `java.lang.String`.
    pub(super) fn class_name(&self, key: i64) -> Option<String> {
        self.symbol(*self.classes.get(&key)?).map(class_name)
    }

    /// A text that a field holds or names.
    pub(super) fn text<'t>(&'t self, text: &'t Text<'a>) -> Option<&'t str> {
        match text {
            Text::Here(text) => Some(text),
            Text::Constant(key) => self.constant_text(self.plain?, *key),
        }
    }
}

/// `java/lang/String` as `java.lang.String`, `[[I` as `int[][]`, and hidden classes with the number that the JVM puts behind their names:
/// `Main$$Lambda$7+0x000000080012/1234` stays as it is behind the package.
fn class_name(name: &str) -> String {
    let element = name.trim_start_matches('[');
    let levels = name.len() - element.len();
    let element = match element {
        _ if levels == 0 => element,
        "Z" => "boolean",
        "B" => "byte",
        "C" => "char",
        "S" => "short",
        "I" => "int",
        "J" => "long",
        "F" => "float",
        "D" => "double",
        _ => element.strip_prefix('L').unwrap_or(element).trim_end_matches(';'),
    };
    let end = element.find("+0x").or_else(|| element.find("/0x")).unwrap_or(element.len());
    let (name, number) = element.split_at(end);
    format!("{}{number}{}", name.replace('/', "."), "[]".repeat(levels))
}

#[cfg(test)]
mod tests {
    use super::class_name;

    #[test]
    fn classes_are_called_as_in_java() {
        for (name, text) in [
            ("java/lang/String", "java.lang.String"),
            ("[B", "byte[]"),
            ("[[Ljava/util/Map$Entry;", "java.util.Map$Entry[][]"),
            ("a/Main$$Lambda$88+0x00007fdf20007a08/2013559698", "a.Main$$Lambda$88+0x00007fdf20007a08/2013559698"),
            ("a/Main$$Lambda/0x000001e2f4001000", "a.Main$$Lambda/0x000001e2f4001000"),
            ("B", "B"),
            ("", ""),
        ] {
            assert_eq!(class_name(name), text);
        }
    }
}
