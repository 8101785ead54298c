//! LIST, MAP and STRUCT. The elements of the written rows lie together in Arrow, so they are written as one run whatever
//! the array holds before and after them: the cost is that of the rows written.

use arrow::{array::AsArray, buffer::OffsetBuffer};
use tstable_core::{Error, Result, schema::Field};

use super::{RawVector, Source, validity, write};

/// Where a list's elements lie, as DuckDB stores it.
#[repr(C)]
struct ListEntry {
    offset: u64,
    length: u64,
}

/// LIST.
pub(super) fn list<V: RawVector>(vector: V, element: &Field, source: Source<'_>) -> Result<Option<()>> {
    let Some(array) = source.array.as_list_opt::<i32>() else { return Ok(None) };
    let (first, count) = entries(vector, array.offsets(), &source)?;
    let elements = vector.elements(count)?;
    write(elements, &element.ty, Source::new(array.values().as_ref(), first, count)?, None)?;
    validity::write(vector, source.nulls().as_ref(), source.len)?;
    Ok(Some(()))
}

/// MAP: a list of its entries, structs of key and value.
pub(super) fn map<V: RawVector>(vector: V, key: &Field, value: &Field, source: Source<'_>) -> Result<Option<()>> {
    let Some(array) = source.array.as_map_opt() else { return Ok(None) };
    let (first, count) = entries(vector, array.offsets(), &source)?;
    let elements = vector.elements(count)?;
    for (index, (field, values)) in [(key, array.keys()), (value, array.values())].into_iter().enumerate() {
        write(elements.field(index, count)?, &field.ty, Source::new(values.as_ref(), first, count)?, None)?;
    }
    validity::write(vector, source.nulls().as_ref(), source.len)?;
    Ok(Some(()))
}

/// STRUCT.
pub(super) fn structure<V: RawVector>(vector: V, fields: &[Field], source: Source<'_>) -> Result<Option<()>> {
    let Some(array) = source.array.as_struct_opt() else { return Ok(None) };
    if array.num_columns() != fields.len() {
        return Ok(None);
    }
    let nulls = source.nulls();
    for (index, (field, values)) in fields.iter().zip(array.columns()).enumerate() {
        let rows = Source { parent: nulls.as_ref(), ..Source::new(values.as_ref(), source.offset, source.len)? };
        write(vector.field(index, source.len)?, &field.ty, rows, None)?;
    }
    validity::write(vector, nulls.as_ref(), source.len)?;
    Ok(Some(()))
}

/// Writes the rows' places among their elements; the answer says which elements of the array those are.
fn entries<V: RawVector>(vector: V, offsets: &OffsetBuffer<i32>, source: &Source<'_>) -> Result<(usize, usize)> {
    let end = source.offset.saturating_add(source.len);
    let offsets = offsets.get(source.offset..=end).ok_or_else(|| Error::corrupt("a list array lacks offsets"))?;
    let place = |offset: i32| u64::try_from(offset).map_err(|_| Error::corrupt("a list array has a negative offset"));
    let first = place(offsets.first().copied().unwrap_or(0))?;
    let mut at = first;
    let data = vector.data()?.cast::<ListEntry>();
    for (row, next) in offsets.iter().skip(1).enumerate() {
        let next = place(*next)?;
        let length = next.checked_sub(at).ok_or_else(|| Error::corrupt("the offsets of a list array fall"))?;
        // SAFETY: the vector has room for the chunk's rows, each an entry; the write needs no alignment.
        unsafe { data.add(row).write_unaligned(ListEntry { offset: at - first, length }) };
        at = next;
    }
    let size = |value: u64| usize::try_from(value).map_err(|_| Error::limit_exceeded("a list array is too long"));
    Ok((size(first)?, size(at - first)?))
}
