<?php
// Debian's Adminer with the official image's one setting: the server that the form is filled in with.

define('ADMINER_DIR', '/usr/share/adminer');

function adminer_object()
{
    class ContainerAdminer extends Adminer\Adminer
    {
        // Without types, as Debian's compiled Adminer declares it.
        public function loginFormField($name, $heading, $value)
        {
            $server = getenv('ADMINER_DEFAULT_SERVER') ?: 'db';
            $value = str_replace('name="auth[server]" value=""', 'name="auth[server]" value="' . htmlspecialchars($server) . '"', $value);
            return parent::loginFormField($name, $heading, $value);
        }
    }

    return new ContainerAdminer();
}

include ADMINER_DIR . '/adminer.php';
