// Turbo fetches whole pages, each with its title, and puts them in place of this one.
import '@hotwired/turbo';
