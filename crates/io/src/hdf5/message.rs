//! The messages of an object header, and the header that they make.

use super::checksum::lookup3;
use super::{Type, UNDEFINED, Value};

/// A message: its number in the specification, and what it says.
pub(super) type Message = (u8, Vec<u8>);

/// Number of the message that says how elements lie in a dataset.
const DATASPACE: u8 = 1;
/// Where the links of a group are.
const LINK_INFO: u8 = 2;
/// What an element is.
const DATATYPE: u8 = 3;
/// What is read where nothing was written.
const FILL_VALUE: u8 = 5;
/// A member of a group.
const LINK: u8 = 6;
/// Where the elements are.
const LAYOUT: u8 = 8;
/// How many links to expect.
const GROUP_INFO: u8 = 10;
/// What has been done to the elements.
const FILTERS: u8 = 11;
/// A named value.
const ATTRIBUTE: u8 = 12;

/// Filter that puts first bytes of all elements together, then second ones, and so on.
const SHUFFLE: u16 = 2;
/// Filter that compresses with zlib.
const DEFLATE: u16 = 1;

/// The object header of these messages, version 2.
pub(super) fn header(messages: &[Message]) -> Vec<u8> {
    let mut body = Vec::new();
    for (number, content) in messages {
        body.push(*number);
        // Each content is the work of this file, and the longest name or text is far below 64 KB.
        body.extend((content.len() as u16).to_le_bytes());
        body.push(0);
        body.extend(content);
    }
    let mut header = b"OHDR".to_vec();
    // Version 2; the length takes four bytes.
    header.extend([2, 2]);
    header.extend((body.len() as u32).to_le_bytes());
    header.extend(body);
    header.extend(lookup3(&header).to_le_bytes());
    header
}

fn datatype(element: Type) -> Vec<u8> {
    const WHOLE: u8 = 0x10;
    const FLOAT: u8 = 0x11;
    const TEXT: u8 = 0x13;
    let head = |class: u8, bits: [u8; 3]| {
        let [x, y, z] = bits;
        let mut head = vec![class, x, y, z];
        head.extend(element.bytes().to_le_bytes());
        head
    };
    let whole = |sign: u8| {
        let mut whole = head(WHOLE, [sign, 0, 0]);
        whole.extend([0, 0, 32, 0]);
        whole
    };
    // Bit of the sign, then: first bit, bits, exponent's first bit and bits, mantissa's, the bias.
    let float = |sign: u8, properties: [u8; 8], bias: u32| {
        let mut float = head(FLOAT, [0x20, sign, 0]);
        float.extend(properties);
        float.extend(bias.to_le_bytes());
        float
    };
    match element {
        Type::I32 => whole(8),
        Type::U32 => whole(0),
        Type::F32 => float(31, [0, 0, 32, 0, 23, 8, 0, 23], 127),
        Type::F64 => float(63, [0, 0, 64, 0, 52, 11, 0, 52], 1023),
        Type::Text(_) => head(TEXT, [1, 0, 0]),
    }
}

fn dataspace(sides: &[u64]) -> Vec<u8> {
    let is_simple = u8::from(!sides.is_empty());
    let mut dataspace = vec![2, sides.len() as u8, 0, is_simple];
    dataspace.extend(sides.iter().flat_map(|side| side.to_le_bytes()));
    dataspace
}

/// The attribute `name`.
pub(super) fn attribute(name: &str, value: &Value) -> Message {
    let (datatype, dataspace) = (datatype(value.element), dataspace(&value.sides));
    let mut content = vec![3, 0];
    for length in [name.len() + 1, datatype.len(), dataspace.len()] {
        content.extend((length as u16).to_le_bytes());
    }
    content.push(0);
    content.extend(name.as_bytes());
    content.push(0);
    content.extend(datatype);
    content.extend(dataspace);
    content.extend(&value.bytes);
    (ATTRIBUTE, content)
}

/// What every group begins with.
pub(super) fn group() -> [Message; 2] {
    let mut links = vec![0, 0];
    links.extend(UNDEFINED.to_le_bytes());
    links.extend(UNDEFINED.to_le_bytes());
    [(LINK_INFO, links), (GROUP_INFO, vec![0, 0])]
}

/// The member `name` of a group, whose object header is at `address`.
pub(super) fn hard_link(name: &str, address: u64) -> Message {
    let mut content = vec![1, 0];
    push_name(&mut content, name);
    content.extend(address.to_le_bytes());
    (LINK, content)
}

/// The member `name` of a group that stands for the object at `path`.
pub(super) fn soft_link(name: &str, path: &str) -> Message {
    const HAS_KIND: u8 = 8;
    const SOFT: u8 = 1;
    let mut content = vec![1, HAS_KIND, SOFT];
    push_name(&mut content, name);
    content.extend((path.len() as u16).to_le_bytes());
    content.extend(path.as_bytes());
    (LINK, content)
}

fn push_name(content: &mut Vec<u8>, name: &str) {
    content.push(name.len() as u8);
    content.extend(name.as_bytes());
}

/// A dataset of these elements, which stand at `address` in a row.
pub(super) fn contiguous(value: &Value, address: u64) -> Vec<Message> {
    const LATE: u8 = 2;
    let mut layout = vec![3, 1];
    layout.extend(address.to_le_bytes());
    layout.extend((value.bytes.len() as u64).to_le_bytes());
    vec![
        (DATASPACE, dataspace(&value.sides)),
        (DATATYPE, datatype(value.element)),
        (FILL_VALUE, fill_value(LATE)),
        (LAYOUT, layout),
    ]
}

/// A dataset in chunks, which the B-tree at `index` finds, shuffled and deflated.
pub(super) fn chunked(
    element: Type,
    sides: &[u64],
    chunk: &[u32],
    index: u64,
    deflate_level: u32,
) -> Vec<Message> {
    const INCREMENTAL: u8 = 3;
    let mut layout = vec![3, 2, sides.len() as u8 + 1];
    layout.extend(index.to_le_bytes());
    layout.extend(chunk.iter().flat_map(|side| side.to_le_bytes()));
    layout.extend(element.bytes().to_le_bytes());
    let mut filters = vec![2, 2];
    for (filter, parameter) in [(SHUFFLE, element.bytes()), (DEFLATE, deflate_level)] {
        filters.extend(filter.to_le_bytes());
        // Not to be left out; one parameter.
        filters.extend([0, 0, 1, 0]);
        filters.extend(parameter.to_le_bytes());
    }
    vec![
        (DATASPACE, dataspace(sides)),
        (DATATYPE, datatype(element)),
        (FILL_VALUE, fill_value(INCREMENTAL)),
        (FILTERS, filters),
        (LAYOUT, layout),
    ]
}

/// The default of zeroes; `when` space is allocated.
fn fill_value(when: u8) -> Vec<u8> {
    const IF_SET: u8 = 2 << 2;
    vec![3, when | IF_SET]
}
