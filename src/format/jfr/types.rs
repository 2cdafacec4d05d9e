//! The classes of a chunk, as its metadata describes them: what is needed to read the fields of events, and to skip what is not read.
//!
//! Metadata is a tree of elements with attributes, names and values being numbers of a table of texts. Start reading at [`Types::read`].

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::values::{Bad, Text, Values};

/// Elements inside each other; metadata has six levels.
const MOST_LEVELS: usize = 32;

/// Structures inside each other.
const MOST_NESTED: usize = 32;

/// What a value of a class looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A number of so many bytes where numbers are not packed.
    Number(usize),
    /// One byte.
    Byte,
    /// So many bytes of a floating-point number.
    Float(usize),
    Text,
    /// Its fields one after the other.
    Fields,
}

/// What one unit of a number is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tick {
    /// No time, or not said.
    #[default]
    None,
    /// Ticks of the chunk's clock.
    Ticks,
    /// So many nanoseconds.
    Nanos(i64),
}

/// A field of a class.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    /// Row of its class.
    pub(super) class: usize,
    is_list: bool,
    /// The key of a constant stands in the place of the value.
    pub(super) is_constant: bool,
    pub(super) tick: Tick,
}

/// A class.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub(super) name: String,
    pub(super) shape: Shape,
    pub(super) fields: Vec<Field>,
    /// Bytes that a value takes at least.
    least: usize,
}

/// What a field that is asked for has.
#[derive(Clone, Debug, Default)]
pub(super) enum Got<'a> {
    /// The class has no such field, or it holds nothing.
    #[default]
    Nothing,
    Number(i64),
    /// Key of a constant of the class in the row.
    Constant(usize, i64),
    Text(Text<'a>),
}

/// Fields of a class that somebody asks for: for each of its fields the place in the answer.
#[derive(Clone, Debug)]
pub(super) struct Wanted<const N: usize> {
    class: usize,
    places: Vec<Option<usize>>,
}

/// All classes.
#[derive(Debug, Default)]
pub(super) struct Types {
    classes: Vec<Class>,
    rows: FxHashMap<i64, usize>,
}

struct Element {
    name: usize,
    attributes: Vec<(usize, usize)>,
    inner: Vec<Self>,
}

impl Element {
    fn read(values: &mut Values<'_>, level: usize) -> Result<Self, Bad> {
        if level > MOST_LEVELS {
            return Err(Bad::new(values.offset(), format!("more than {MOST_LEVELS} elements stand inside each other")));
        }
        let name = values.count(0)?;
        let count = values.count(2)?;
        let attributes = (0..count).map(|_| Ok((values.count(0)?, values.count(0)?))).collect::<Result<_, Bad>>()?;
        let count = values.count(3)?;
        let inner = (0..count).map(|_| Self::read(values, level + 1)).collect::<Result<_, Bad>>()?;
        Ok(Self { name, attributes, inner })
    }
}

/// An element with the texts that it names.
#[derive(Clone, Copy)]
struct Named<'t> {
    element: &'t Element,
    texts: &'t [Cow<'t, str>],
}

impl<'t> Named<'t> {
    fn name(self) -> &'t str {
        self.texts.get(self.element.name).map_or("", |text| text)
    }

    fn attribute(self, key: &str) -> Option<&'t str> {
        let text = |row: usize| self.texts.get(row).map(|text| &**text);
        self.element.attributes.iter().find(|(name, _)| text(*name) == Some(key)).and_then(|(_, value)| text(*value))
    }

    fn number(self, key: &str) -> Option<i64> {
        self.attribute(key)?.parse().ok()
    }

    fn inner(self, name: &'static str) -> impl Iterator<Item = Self> {
        let all = self.element.inner.iter().map(move |element| Self { element, texts: self.texts });
        all.filter(move |element| element.name() == name)
    }
}

impl Types {
    /// From the metadata event, behind its size and its type.
    pub(super) fn read(values: &mut Values<'_>) -> Result<Self, Bad> {
        let offset = values.offset();
        // Start, duration, and a number of its own.
        for _ in 0..3 {
            values.long()?;
        }
        let count = values.count(1)?;
        let texts = (0..count).map(|_| values.plain_text()).collect::<Result<Vec<_>, Bad>>()?;
        let root = Element::read(values, 0)?;
        let root = Named { element: &root, texts: &texts };
        let found: Vec<(i64, Named<'_>)> =
            root.inner("metadata").flat_map(|all| all.inner("class")).filter_map(|class| Some((class.number("id")?, class))).collect();
        if found.is_empty() {
            return Err(Bad::new(offset, "wanted classes, found none"));
        }
        let rows: FxHashMap<i64, usize> = found.iter().enumerate().map(|(row, (id, _))| (*id, row)).collect();
        let names: Vec<&str> = found.iter().map(|(_, class)| class.attribute("name").unwrap_or_default()).collect();
        let tick = |field: Named<'_>| {
            let unit = field.inner("annotation").find_map(|annotation| {
                let class = rows.get(&annotation.number("class")?).and_then(|row| names.get(*row))?;
                let is_time = matches!(*class, "jdk.jfr.Timespan" | "jdk.jfr.Timestamp");
                is_time.then(|| annotation.attribute("value").or_else(|| annotation.attribute("value-0"))).flatten()
            });
            match unit {
                Some("TICKS") => Tick::Ticks,
                Some("NANOSECONDS" | "NANOSECONDS_SINCE_EPOCH") => Tick::Nanos(1),
                Some("MICROSECONDS") => Tick::Nanos(1_000),
                Some("MILLISECONDS" | "MILLISECONDS_SINCE_EPOCH") => Tick::Nanos(1_000_000),
                Some("SECONDS") => Tick::Nanos(1_000_000_000),
                _ => Tick::None,
            }
        };
        let mut classes: Vec<Class> = Vec::with_capacity(found.len());
        for ((_, class), name) in found.iter().zip(&names) {
            let mut fields = Vec::new();
            for field in class.inner("field") {
                let name = field.attribute("name").unwrap_or_default().to_owned();
                let class = field.number("class").and_then(|class| rows.get(&class).copied());
                let class = class.ok_or_else(|| Bad::new(offset, format!("the field {name} has no class that is known")))?;
                let is_list = field.number("dimension").is_some_and(|dimensions| dimensions > 0);
                let is_constant = field.attribute("constantPool") == Some("true");
                fields.push(Field { name, class, is_list, is_constant, tick: tick(field) });
            }
            classes.push(Class { name: (*name).to_owned(), shape: shape(name), fields, least: 0 });
        }
        let mut made = Self { classes, rows };
        let mut known = vec![None; made.classes.len()];
        for row in 0..made.classes.len() {
            let least = made.least(row, &mut known, 0).ok_or_else(|| Bad::new(offset, "a class holds itself"))?;
            made.classes.get_mut(row).into_iter().for_each(|class| class.least = least);
        }
        Ok(made)
    }

    /// Bytes that a value of a class takes at least; `None` for a class that holds itself.
    fn least(&self, row: usize, known: &mut [Option<usize>], level: usize) -> Option<usize> {
        if let Some(Some(least)) = known.get(row) {
            return Some(*least);
        }
        let class = self.classes.get(row).filter(|_| level < MOST_NESTED)?;
        let least = match class.shape {
            Shape::Number(_) | Shape::Byte | Shape::Text => 1,
            Shape::Float(width) => width,
            Shape::Fields => class.fields.iter().try_fold(0_usize, |sum, field| {
                let own = if field.is_list || field.is_constant { 1 } else { self.least(field.class, known, level + 1)? };
                Some(sum.saturating_add(own))
            })?,
        };
        known.get_mut(row).into_iter().for_each(|known| *known = Some(least));
        Some(least)
    }

    /// Row of a class by its id.
    pub(super) fn row(&self, id: i64) -> Option<usize> {
        self.rows.get(&id).copied()
    }

    pub(super) fn class(&self, row: usize) -> Option<&Class> {
        self.classes.get(row)
    }

    /// Bytes that a value of a class takes at least.
    pub(super) fn least_of(&self, row: usize) -> usize {
        self.class(row).map_or(0, |class| class.least)
    }

    /// Prepares to read the fields of these names from values of a class.
    pub(super) fn wanted<const N: usize>(&self, class: usize, names: [&str; N]) -> Wanted<N> {
        let place = |field: &Field| names.iter().position(|name| *name == field.name).filter(|_| !field.is_list);
        Wanted { class, places: self.class(class).map_or_else(Vec::new, |class| class.fields.iter().map(place).collect()) }
    }

    /// Reads a value of a class and gives the fields that are asked for.
    pub(super) fn get<'a, const N: usize>(&self, wanted: &Wanted<N>, values: &mut Values<'a>) -> Result<[Got<'a>; N], Bad> {
        let mut got: [Got<'a>; N] = std::array::from_fn(|_| Got::Nothing);
        let fields = self.class(wanted.class).map_or(&[][..], |class| &class.fields);
        for (field, place) in fields.iter().zip(&wanted.places) {
            match place.and_then(|place| got.get_mut(place)) {
                Some(place) => *place = self.field(field, values)?,
                None => self.skip_field(field, values, 0)?,
            }
        }
        Ok(got)
    }

    fn field<'a>(&self, field: &Field, values: &mut Values<'a>) -> Result<Got<'a>, Bad> {
        if field.is_constant {
            return Ok(Got::Constant(field.class, values.long()?));
        }
        let shape = self.class(field.class).map_or(Shape::Fields, |class| class.shape);
        Ok(match shape {
            Shape::Number(width) => Got::Number(values.number(width)?),
            Shape::Byte => Got::Number(i64::from(values.byte()?)),
            Shape::Text => values.text()?.map_or(Got::Nothing, Got::Text),
            Shape::Float(_) | Shape::Fields => {
                self.skip_field(field, values, 0)?;
                Got::Nothing
            }
        })
    }

    /// Goes over a list of values of which each is read by `each`, if the class has one in a field of that name; over all other fields as well.
    pub(super) fn list<'a>(
        &self,
        (class, list): (usize, &str),
        values: &mut Values<'a>,
        mut other: impl FnMut(&Field, Got<'a>),
        mut each: impl FnMut(&mut Values<'a>) -> Result<(), Bad>,
    ) -> Result<(), Bad> {
        for field in self.class(class).map_or(&[][..], |class| &class.fields) {
            if field.is_list && field.name == list && !field.is_constant {
                let count = values.count(self.least_of(field.class).max(1))?;
                for _ in 0..count {
                    each(values)?;
                }
            } else if field.is_list {
                self.skip_field(field, values, 0)?;
            } else {
                let got = self.field(field, values)?;
                other(field, got);
            }
        }
        Ok(())
    }

    /// Skips a value of a class.
    pub(super) fn skip(&self, class: usize, values: &mut Values<'_>) -> Result<(), Bad> {
        self.skip_value(class, values, 0)
    }

    fn skip_field(&self, field: &Field, values: &mut Values<'_>, level: usize) -> Result<(), Bad> {
        let least = if field.is_constant { 1 } else { self.least_of(field.class) };
        let count = if field.is_list { values.count(least)? } else { 1 };
        // What takes no bytes takes none, however many there are.
        for _ in 0..if least == 0 { 0 } else { count } {
            if field.is_constant {
                values.long()?;
            } else {
                self.skip_value(field.class, values, level)?;
            }
        }
        Ok(())
    }

    fn skip_value(&self, class: usize, values: &mut Values<'_>, level: usize) -> Result<(), Bad> {
        let Some(class) = self.class(class) else { return Ok(()) };
        match class.shape {
            Shape::Number(width) => values.number(width).map(drop),
            Shape::Byte => values.byte().map(drop),
            Shape::Float(width) => values.skip(width),
            Shape::Text => values.text().map(drop),
            // Deeper ones cannot be: a class does not hold itself.
            Shape::Fields if level > MOST_NESTED => Err(Bad::new(values.offset(), "structures stand too deep inside each other")),
            Shape::Fields => class.fields.iter().try_for_each(|field| self.skip_field(field, values, level + 1)),
        }
    }
}

fn shape(name: &str) -> Shape {
    match name {
        "long" => Shape::Number(8),
        "int" => Shape::Number(4),
        "short" | "char" => Shape::Number(2),
        "byte" | "boolean" => Shape::Byte,
        "double" => Shape::Float(8),
        "float" => Shape::Float(4),
        "java.lang.String" => Shape::Text,
        _ => Shape::Fields,
    }
}
