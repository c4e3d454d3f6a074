import './_slow';
import './_quick';
import './_plain';
