//! Numbers and texts for attributes and datasets.

/// The type of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Signed, 32 bits.
    I32,
    /// Unsigned, 32 bits.
    U32,
    /// Unsigned, 8 bits.
    U8,
    /// Unsigned, 16 bits.
    U16,
    /// Signed, 64 bits.
    I64,
    /// Unsigned, 64 bits.
    U64,
    /// Floating point, 32 bits.
    F32,
    /// Floating point, 64 bits.
    F64,
    /// Text of this many bytes, padded with zeroes.
    Text(u32),
}

impl Type {
    /// Bytes that an element takes.
    pub const fn bytes(self) -> u32 {
        match self {
            Self::U8 => 1,
            Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
            Self::Text(bytes) => bytes,
        }
    }
}

/// One element, or a list of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    pub(super) element: Type,
    /// Elements along each axis; empty for a single element.
    pub(super) sides: Vec<u64>,
    pub(super) bytes: Vec<u8>,
}

impl Value {
    /// A text.
    pub fn text(text: &str) -> Self {
        let mut bytes = text.as_bytes().to_vec();
        if bytes.is_empty() {
            bytes.push(0);
        }
        Self {
            // A text of more than 4 GB is cut.
            element: Type::Text(u32::try_from(bytes.len()).unwrap_or(u32::MAX)),
            sides: Vec::new(),
            bytes,
        }
    }

    /// A number.
    pub fn number(number: f64) -> Self {
        Self {
            element: Type::F64,
            sides: Vec::new(),
            bytes: number.to_le_bytes().to_vec(),
        }
    }

    /// A list of numbers.
    pub fn numbers(numbers: &[f64]) -> Self {
        Self {
            element: Type::F64,
            sides: vec![numbers.len() as u64],
            bytes: numbers.iter().flat_map(|n| n.to_le_bytes()).collect(),
        }
    }

    /// An integer.
    pub fn integer(number: i32) -> Self {
        Self {
            element: Type::I32,
            sides: Vec::new(),
            bytes: number.to_le_bytes().to_vec(),
        }
    }

    /// A list of integers.
    pub fn integers(numbers: &[i32]) -> Self {
        Self {
            element: Type::I32,
            sides: vec![numbers.len() as u64],
            bytes: numbers.iter().flat_map(|n| n.to_le_bytes()).collect(),
        }
    }
}
