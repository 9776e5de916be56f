mod code;

pub(crate) use code::Code;
