jQuery.fn.flash = -> @each -> $(this).addClass 'flash'
window.PLUGIN = $.fn.flash?
