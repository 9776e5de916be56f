export const edit = () => {};
export const remove = () => {};
export const undo = () => {};
export const overlay = (task) => task;
export const stateOf = () => undefined;
export const resolve = () => {};
