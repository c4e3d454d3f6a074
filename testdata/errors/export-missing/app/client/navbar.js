export function showNavbar() {}
export function hideNavbar() {}
