//! Object headers and their messages.
//!
//! # Source
//! HDF5 File Format Specification 3.0: IV.A.1.b, version 2 object headers; IV.A.2, the messages by
//! number. Each function names the fields of the version that it writes.

use super::checksum::lookup3;
use super::{Compression, Type, UNDEFINED, Value, VirtualStack};

/// The type number of a message, and its contents.
pub(super) type Message = (u8, Vec<u8>);

/// The number of elements along each axis of a dataset.
const DATASPACE: u8 = 1;
/// Where a group stores its links.
const LINK_INFO: u8 = 2;
/// The type of an element.
const DATATYPE: u8 = 3;
/// The value of elements that were not written.
const FILL_VALUE: u8 = 5;
/// A member of a group.
const LINK: u8 = 6;
/// Where the elements of a dataset are.
const LAYOUT: u8 = 8;
/// How many links a group is expected to have.
const GROUP_INFO: u8 = 10;
/// The filters that the elements went through.
const FILTERS: u8 = 11;
/// A named value.
const ATTRIBUTE: u8 = 12;

/// A version 2 object header with these messages.
pub(super) fn header(messages: &[Message]) -> Vec<u8> {
    let mut body = Vec::new();
    for (number, content) in messages {
        body.push(*number);
        // The size fits: all contents are made here, and names and texts are far below 64 KB.
        body.extend((content.len() as u16).to_le_bytes());
        // No flags.
        body.push(0);
        body.extend(content);
    }
    let mut header = b"OHDR".to_vec();
    // Version 2; flags: the size of the messages takes four bytes.
    header.extend([2, 2]);
    header.extend((body.len() as u32).to_le_bytes());
    header.extend(body);
    header.extend(lookup3(&header).to_le_bytes());
    header
}

/// Version 1: version and class in one byte, 24 bits that depend on the class, the size in bytes,
/// and the properties of the class. Numbers are little-endian.
fn datatype(element: Type) -> Vec<u8> {
    const INTEGER: u8 = 0x10;
    const FLOAT: u8 = 0x11;
    const TEXT: u8 = 0x13;
    let head = |class: u8, bits: [u8; 3]| {
        let [x, y, z] = bits;
        let mut head = vec![class, x, y, z];
        head.extend(element.bytes().to_le_bytes());
        head
    };
    let integer = |sign: u8| {
        let mut integer = head(INTEGER, [sign, 0, 0]);
        // Bit offset and precision, two bytes each.
        integer.extend([0, 0, 8 * element.bytes() as u8, 0]);
        integer
    };
    // `sign` is the bit of the sign; 0x20 says that the leading 1 of the mantissa is implied. The
    // properties: bit offset and precision in two bytes each, position and size of the exponent,
    // and position and size of the mantissa.
    let float = |sign: u8, properties: [u8; 8], bias: u32| {
        let mut float = head(FLOAT, [0x20, sign, 0]);
        float.extend(properties);
        float.extend(bias.to_le_bytes());
        float
    };
    match element {
        // Bit 3: two's complement.
        Type::I32 | Type::I64 => integer(8),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => integer(0),
        Type::F32 => float(31, [0, 0, 32, 0, 23, 8, 0, 23], 127),
        Type::F64 => float(63, [0, 0, 64, 0, 52, 11, 0, 52], 1023),
        // Padded with zeroes, ASCII.
        Type::Text(_) => head(TEXT, [1, 0, 0]),
    }
}

/// Version 2: the number of axes, no flags (so no largest sides), the type (0 scalar, 1 simple),
/// and the sides.
fn dataspace(sides: &[u64]) -> Vec<u8> {
    let is_simple = u8::from(!sides.is_empty());
    let mut dataspace = vec![2, sides.len() as u8, 0, is_simple];
    dataspace.extend(sides.iter().flat_map(|side| side.to_le_bytes()));
    dataspace
}

/// The attribute `name`. Version 3: no flags; the sizes of name, datatype and dataspace; the
/// encoding of the name (0, ASCII); name, datatype, dataspace, value.
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

/// The messages of every group. Its links are messages of its header too, so the addresses of the
/// other places for links (a heap and a B-tree) are undefined.
pub(super) fn group() -> [Message; 2] {
    // Version 0, no flags.
    let mut links = vec![0, 0];
    links.extend(UNDEFINED.to_le_bytes());
    links.extend(UNDEFINED.to_le_bytes());
    [(LINK_INFO, links), (GROUP_INFO, vec![0, 0])]
}

/// The member `name` of a group, whose object header is at `address`.
pub(super) fn hard_link(name: &str, address: u64) -> Message {
    // Version 1; flags: a hard link, and the name has a length of one byte.
    let mut content = vec![1, 0];
    push_name(&mut content, name);
    content.extend(address.to_le_bytes());
    (LINK, content)
}

/// The member `name` of a group that is another name for the object at `path`.
pub(super) fn soft_link(name: &str, path: &str) -> Message {
    const HAS_KIND: u8 = 8;
    const SOFT: u8 = 1;
    let mut content = vec![1, HAS_KIND, SOFT];
    push_name(&mut content, name);
    content.extend((path.len() as u16).to_le_bytes());
    content.extend(path.as_bytes());
    (LINK, content)
}

/// The member `name` of a group that is the object at `path` of another file.
pub(super) fn external_link(name: &str, file: &str, path: &str) -> Message {
    const HAS_KIND: u8 = 8;
    const EXTERNAL: u8 = 64;
    let mut content = vec![1, HAS_KIND, EXTERNAL];
    push_name(&mut content, name);
    content.extend(((file.len() + path.len() + 3) as u16).to_le_bytes());
    // Version and flags, both 0.
    content.push(0);
    for text in [file, path] {
        content.extend(text.as_bytes());
        content.push(0);
    }
    (LINK, content)
}

/// A dataset that is put together from others, as the heap at `heap` says.
pub(super) fn virtual_stack(stack: &VirtualStack, heap: u64) -> Vec<Message> {
    const INCREMENTAL: u8 = 3;
    // Version 4, class 3: the address of the heap and the number of the object in it.
    let mut layout = vec![4, 3];
    layout.extend(heap.to_le_bytes());
    layout.extend(1_u32.to_le_bytes());
    vec![
        (DATASPACE, dataspace(&stack.sides)),
        (DATATYPE, datatype(stack.element)),
        (FILL_VALUE, fill_value(INCREMENTAL)),
        (LAYOUT, layout),
    ]
}

fn push_name(content: &mut Vec<u8>, name: &str) {
    content.push(name.len() as u8);
    content.extend(name.as_bytes());
}

/// A dataset whose elements are contiguous, at `address`.
pub(super) fn contiguous(value: &Value, address: u64) -> Vec<Message> {
    const LATE: u8 = 2;
    // Version 3, class 1: contiguous.
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

/// A dataset of compressed chunks, with a B-tree at `index`.
pub(super) fn chunked(
    element: Type,
    sides: &[u64],
    chunk: &[u32],
    index: u64,
    compression: Compression,
) -> Vec<Message> {
    const INCREMENTAL: u8 = 3;
    // Version 3, class 2: chunks. The bytes of an element count as a further axis.
    let mut layout = vec![3, 2, sides.len() as u8 + 1];
    layout.extend(index.to_le_bytes());
    layout.extend(chunk.iter().flat_map(|side| side.to_le_bytes()));
    layout.extend(element.bytes().to_le_bytes());
    let mut messages = vec![
        (DATASPACE, dataspace(sides)),
        (DATATYPE, datatype(element)),
        (FILL_VALUE, fill_value(INCREMENTAL)),
    ];
    let of_element = compression.filters(element.bytes());
    if !of_element.is_empty() {
        messages.push((FILTERS, filters(&of_element)));
    }
    messages.push((LAYOUT, layout));
    messages
}

/// Version 2.
fn filters(filters: &[(u16, Vec<u32>)]) -> Vec<u8> {
    /// Filters from this number on may have a name, whose length then follows the number.
    const FIRST_WITH_NAME: u16 = 256;
    let mut content = vec![2, filters.len() as u8];
    for (filter, settings) in filters {
        content.extend(filter.to_le_bytes());
        if *filter >= FIRST_WITH_NAME {
            content.extend([0, 0]);
        }
        // Flags: the filter is mandatory.
        content.extend([0, 0]);
        content.extend((settings.len() as u16).to_le_bytes());
        content.extend(settings.iter().flat_map(|setting| setting.to_le_bytes()));
    }
    content
}

/// Version 3 without a value, so zeroes. `when` says when space is allocated (bits 0 and 1).
fn fill_value(when: u8) -> Vec<u8> {
    /// Bits 2 and 3: the fill value is written only if the user set one.
    const IF_SET: u8 = 2 << 2;
    vec![3, when | IF_SET]
}
